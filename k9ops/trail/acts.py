"""What each action of the audit log is called, and the sentence that tells it."""

from dataclasses import dataclass
from typing import Any

from k9ops.audit.services import COMMAND_LINE
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.jobs.registry import catalogue


@dataclass(frozen=True)
class Act:
    """Its title, for lists to choose from; its sentence, with `who` and `what` in it."""

    title: Any
    sentence: Any


ACTS: dict[str, Act] = {
    "person.added": Act(_l("Person added"), _l("%(who)s added the person %(what)s")),
    "person.changed": Act(_l("Person changed"), _l("%(who)s changed the person %(what)s")),
    "dog.added": Act(_l("Dog added"), _l("%(who)s added the dog %(what)s")),
    "dog.changed": Act(_l("Dog changed"), _l("%(who)s changed the dog %(what)s")),
    "project.added": Act(_l("Project added"), _l("%(who)s added the project %(what)s")),
    "project.changed": Act(_l("Project changed"), _l("%(who)s changed the project %(what)s")),
    "place.added": Act(_l("Place added"), _l("%(who)s added the place %(what)s")),
    "place.changed": Act(_l("Place changed"), _l("%(who)s changed the place %(what)s")),
    "assignment.added": Act(_l("Assigned to a project"), _l("%(who)s assigned %(what)s")),
    "assignment.changed": Act(
        _l("Assignment changed"), _l("%(who)s changed the assignment %(what)s")
    ),
    "shift.added": Act(_l("Shift added"), _l("%(who)s added the shift %(what)s")),
    "shift.changed": Act(_l("Shift changed"), _l("%(who)s changed the shift %(what)s")),
    "schedule.planned": Act(
        _l("Day of duty planned"), _l("%(who)s planned the day of duty %(what)s")
    ),
    "schedule.noted": Act(
        _l("Note of a day changed"), _l("%(who)s changed the note of the day of duty %(what)s")
    ),
    "schedule.item_added": Act(_l("Duty added"), _l("%(who)s added a duty to %(what)s")),
    "schedule.item_changed": Act(_l("Duty changed"), _l("%(who)s changed a duty of %(what)s")),
    "schedule.item_removed": Act(_l("Duty removed"), _l("%(who)s removed a duty from %(what)s")),
    "schedule.attendance_marked": Act(
        _l("Attendance noted"), _l("%(who)s noted the attendance of a duty of %(what)s")
    ),
    "schedule.locked": Act(_l("Day of duty locked"), _l("%(who)s locked the day of duty %(what)s")),
    "schedule.unlocked": Act(
        _l("Locked day opened"), _l("%(who)s opened the locked day of duty %(what)s")
    ),
    "document.requested": Act(
        _l("Document asked for"), _l("%(who)s asked for the document %(what)s")
    ),
    "document.downloaded": Act(
        _l("Document downloaded"), _l("%(who)s downloaded the document %(what)s")
    ),
    "list.exported": Act(
        _l("List taken as a file"), _l("%(who)s took the list %(what)s as a file")
    ),
    "run.requested": Act(_l("Run asked for"), _l("%(who)s asked for a run of %(what)s")),
    "run.cancelled": Act(_l("Run cancelled"), _l("%(who)s cancelled a run of %(what)s")),
    "run.retried": Act(_l("Run tried again"), _l("%(who)s let a run of %(what)s be tried again")),
    "task.paused": Act(_l("Job paused"), _l("%(who)s paused %(what)s")),
    "task.resumed": Act(_l("Job resumed"), _l("%(who)s resumed %(what)s")),
    "task.scheduled": Act(
        _l("Schedule of a job changed"), _l("%(who)s changed the schedule of %(what)s")
    ),
    "queue.purged": Act(_l("Queue emptied"), _l("%(who)s emptied the queue %(what)s")),
    "backup.requested": Act(_l("Backup asked for"), _l("%(who)s asked for a backup")),
    "backup.verified": Act(_l("Backup verified"), _l("%(who)s verified the backup %(what)s")),
    "backup.downloaded": Act(_l("Backup downloaded"), _l("%(who)s downloaded the backup %(what)s")),
    "backup.restored": Act(
        _l("Backup restored"), _l("%(who)s restored the data of the backup %(what)s")
    ),
    "backup.verify_requested": Act(
        _l("Verification asked for"), _l("%(who)s asked to verify the backup %(what)s")
    ),
    "backup.restore_requested": Act(
        _l("Restore asked for"), _l("%(who)s asked to restore the data of the backup %(what)s")
    ),
    "backup.restore_failed": Act(
        _l("Restore failed"), _l("The restore of the backup %(what)s that %(who)s began failed")
    ),
    "setting.changed": Act(_l("Settings changed"), _l("%(who)s changed settings of %(what)s")),
    "user.added": Act(_l("Account added"), _l("%(who)s added the account %(what)s")),
    "user.changed": Act(_l("Account changed"), _l("%(who)s changed the account %(what)s")),
    "user.deactivated": Act(
        _l("Account switched off"), _l("%(who)s switched the account %(what)s off")
    ),
    "user.reactivated": Act(
        _l("Account switched on again"), _l("%(who)s switched the account %(what)s on again")
    ),
    "user.signed_out_everywhere": Act(
        _l("Signed out everywhere"), _l("%(who)s signed %(what)s out everywhere")
    ),
    "session.ended": Act(_l("Session ended"), _l("%(who)s ended a session of %(what)s")),
    "session.others_ended": Act(
        _l("Other sessions ended"), _l("%(who)s ended all other sessions of %(what)s")
    ),
    "user.created": Act(_l("Account made"), _l("%(who)s made the account %(what)s")),
    "user.password_set": Act(
        _l("Password set by others"), _l("%(who)s set a new password for %(what)s")
    ),
    "user.password_changed": Act(
        _l("Own password changed"), _l("%(who)s changed their own password")
    ),
    "user.password_link_asked": Act(
        _l("Link for a new password asked for"),
        _l("%(who)s asked for a link for a new password of %(what)s"),
    ),
    "user.password_reset": Act(
        _l("Password set by a link"), _l("%(who)s set a new password by a link in a mail")
    ),
    "user.signed_in": Act(_l("Signed in"), _l("%(who)s signed in")),
    "user.signed_out": Act(_l("Signed out"), _l("%(who)s signed out")),
    "user.sign_in_refused": Act(_l("Sign-in refused"), _l("A sign-in as %(what)s was refused")),
    "two_step.switched_on": Act(
        _l("Two-step verification switched on"), _l("%(who)s switched two-step verification on")
    ),
    "two_step.switched_off": Act(
        _l("Two-step verification switched off"), _l("%(who)s switched two-step verification off")
    ),
    "two_step.codes_renewed": Act(
        _l("Recovery codes renewed"), _l("%(who)s made new recovery codes")
    ),
    "two_step.reset": Act(
        _l("Two-step verification reset"), _l("%(who)s reset the two-step verification of %(what)s")
    ),
    "token.created": Act(_l("API token made"), _l("%(who)s made an API token for %(what)s")),
    "token.revoked": Act(
        _l("API token withdrawn"), _l("%(who)s withdrew an API token of %(what)s")
    ),
}


_PARTS = {
    COMMAND_LINE.name: _l("Command line"),
    "signed out": _l("Somebody who was not signed in"),
    "schedule": _l("Schedule"),
}


def act_of(action: str) -> Act:
    """The act; one that nobody has put into words reads as its own code."""
    return ACTS.get(action) or Act(_spelled(action), _l("%(who)s: %(action)s, %(what)s"))


def sentence(action: str, who: str, what: str) -> str:
    """What happened, in the reader's language."""
    values = {"who": who, "what": what, "action": _spelled(action)}
    return str(act_of(action).sentence) % values


def _spelled(code: str) -> str:
    """A code as words: `user.role_changed` is "user role changed"."""
    return code.replace(".", " ").replace("_", " ")


def actor_name(name: str) -> str:
    """Who acted, where it is no person: a part of the product in words."""
    if name in _PARTS:
        return str(_PARTS[name])
    job = catalogue().get(name.partition(" ")[0])
    return str(job.title) if job else name
