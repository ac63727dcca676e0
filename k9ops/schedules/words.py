"""The words of duty: each state and each remark with its sign and family of colours."""

from collections.abc import Iterable
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

from k9ops.core.clock import utcnow
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.core.i18n import ngettext
from k9ops.kennel.models import Dog, Fitness
from k9ops.kennel.words import FITNESS
from k9ops.notifications.kinds import Params
from k9ops.people.models import Person
from k9ops.schedules.conflicts import Fault, Faults
from k9ops.schedules.jobs import AUTO_LOCK
from k9ops.schedules.models import (
    ATTENDANCE_TITLES,
    Attendance,
    DayState,
    DutyItem,
    DutySchedule,
    PlannedDay,
)
from k9ops.schedules.weeks import NOT_PLANNED, Counts, ProjectDay, WeekDay
from k9ops.web import formats
from k9ops.web.formats import isolated, named
from k9ops.web.nav import Sign
from k9ops.web.words import Word

ATTENDANCE: dict[str, Word] = {
    Attendance.PLANNED: Word(ATTENDANCE_TITLES[Attendance.PLANNED], "circle-dashed", "off"),
    Attendance.PRESENT: Word(ATTENDANCE_TITLES[Attendance.PRESENT], "circle-check", "ok"),
    Attendance.ABSENT: Word(ATTENDANCE_TITLES[Attendance.ABSENT], "circle-x", "bad", loud=True),
    Attendance.REPLACED: Word(ATTENDANCE_TITLES[Attendance.REPLACED], "arrow-left-right", "run"),
}
STATES: dict[str, Word] = {
    DayState.OPEN: Word(_l("Open"), "lock-open", "off"),
    DayState.LOCKED: Word(_l("Locked"), "lock", "off"),
    NOT_PLANNED: Word(_l("Not planned"), "circle-dashed", "off"),
}
#: What is wrong with a handler, and the way out.
_OF_HANDLER = {
    Fault.LEFT: _l("%(name)s left the unit: choose another handler"),
    Fault.OTHER_WORK: _l("%(name)s is no longer a handler: choose another"),
    Fault.AWAY: _l("%(name)s is not assigned to the project on this day: choose another handler"),
}
_OF_DOG = {
    Fault.UNFIT: _l("%(name)s is not fit for duty: choose another dog"),
    Fault.AWAY: _l("%(name)s is not assigned to the project on this day: choose another dog"),
}
#: The same where nobody sees the duty.
_PLANNED = {
    Fault.LEFT: _l("%(name)s is planned and left the unit"),
    Fault.OTHER_WORK: _l("%(name)s is planned and no longer a handler"),
    Fault.UNFIT: _l("%(name)s is planned and not fit for duty"),
    Fault.AWAY: _l("%(name)s is planned and not assigned to the project"),
}


def fitness(dog: Dog) -> Sign:
    return FITNESS[Fitness(dog.fitness)]


def of_day(day: WeekDay, today: date, locks_at: datetime | None) -> Word:
    """What the week strip says of a date: the worst first, else how many are in which state."""
    if day.conflicts:
        text = ngettext("One conflict", "%(num)s conflicts", day.conflicts)
        return Word(text, "triangle-alert", "bad")
    if day.open + day.locked + day.not_planned > 1:
        return Word(_counted(day), STATES[_main_state(day)].icon, "off")
    if day.locks_next and locks_at:
        return Word(_("Locks at %(time)s", time=formats.clock(locks_at)), "clock", "off")
    if day.open and day.date == today:
        return Word(_("Open, today"), "lock-open", "off")
    return STATES[_main_state(day)]


def _main_state(day: WeekDay) -> str:
    if day.open:
        return DayState.OPEN
    return DayState.LOCKED if day.locked else NOT_PLANNED


def _counted(day: WeekDay) -> str:
    parts = (
        ngettext("%(num)s open", "%(num)s open", day.open) if day.open else "",
        ngettext("%(num)s locked", "%(num)s locked", day.locked) if day.locked else "",
        ngettext("%(num)s not planned", "%(num)s not planned", day.not_planned)
        if day.not_planned
        else "",
    )
    return joined(part for part in parts if part)


def needs(row: ProjectDay) -> list[Word]:
    """What of a planned day waits for somebody."""
    counts, found = row.counts, []
    if row.conflicts:
        text = ngettext("One conflict", "%(num)s conflicts", row.conflicts)
        found.append(Word(text, "triangle-alert", "bad", loud=True))
    if counts.absent:
        text = ngettext("%(num)s absent", "%(num)s absent", counts.absent)
        found.append(Word(text, "circle-x", "bad"))
    if counts.unmarked:
        text = ngettext("%(num)s not marked", "%(num)s not marked", counts.unmarked)
        found.append(Word(text, "clock-alert", "part"))
    if row.day and not counts.planned:
        found.append(Word(_("Nobody planned"), "circle-dashed", "part"))
    return found


def in_short(counts: Counts) -> str:
    """The duties of a day in one line."""
    parts = [
        ngettext("%(num)s planned", "%(num)s planned", counts.planned),
        ngettext("%(num)s present", "%(num)s present", counts.present) if counts.present else "",
        ngettext("%(num)s absent", "%(num)s absent", counts.absent) if counts.absent else "",
    ]
    return joined(part for part in parts if part)


def beside(people: Iterable[Person]) -> str:
    """With whom somebody stands."""
    return _("With %(names)s", names=joined(_name(one) for one in people))


def begins(item: DutyItem, now: datetime) -> str:
    """How far off a duty is."""
    if item.starts_at <= now:
        return _("Going on")
    return _("Begins %(when)s", when=formats.distance(item.starts_at))


def own_state(item: DutyItem, person_id: int | None) -> Word:
    """The state of a duty for whoever was planned in it or stands in."""
    if item.replacement_id == person_id:
        return Word(_("Stood in"), "arrow-left-right", "run")
    return ATTENDANCE[item.attendance]


def joined(parts: Iterable[str]) -> str:
    return (_(",") + " ").join(parts)


def remarks(item: DutyItem, now: datetime, faults: Faults) -> list[Word]:
    """What is to be said of a duty beside its state: conflicts, warnings, who stood in."""
    found = []
    if item.replacement:
        stood_in = isolated(named(item.replacement))
        found.append(Word(_("%(name)s stood in", name=stood_in), "arrow-left-right", "off"))
    if item.attendance != Attendance.PLANNED:
        return found
    if item.ends_at > now:
        return found + _ahead(item, faults)
    return [*found, Word(_("Nobody noted who came"), "clock-alert", "part")]


def _ahead(item: DutyItem, faults: Faults) -> list[Word]:
    """Why a duty still to be done may not stand as it is planned, or only with care."""
    found, dog = [], item.dog
    if faults.handler:
        text = str(_OF_HANDLER[Fault(faults.handler)]) % {"name": _name(item.handler)}
        found.append(Word(text, "triangle-alert", "bad"))
    if faults.dog:
        text = str(_OF_DOG[Fault(faults.dog)]) % {"name": _name(dog)}
        found.append(Word(text, "triangle-alert", "bad"))
    elif dog and dog.fitness == Fitness.LIGHT:
        text = _("%(name)s is for light duty only", name=_name(dog))
        found.append(Word(text, "triangle-alert", "part"))
    return found


def conflict(fault: str, name: str) -> str:
    """What is wrong with somebody, or a dog, who is planned."""
    return str(_PLANNED[Fault(fault)]) % {"name": isolated(name)}


def _name(row: Any) -> str:
    return isolated(named(row))


def locked_by(day: DutySchedule) -> tuple[str, str]:
    """Who locked the day, and the run when it was the automatic lock."""
    name, _space, run_id = (day.locked_by or "").partition(" ")
    if name == AUTO_LOCK:
        return _("the automatic lock"), run_id
    return isolated(day.locked_by), ""


def lock_story(day: DutySchedule) -> str:
    """Who locked the day, when and why; or when its opening ended."""
    if day.open_until is not None:
        return opening_story(day)
    when = formats.plain(day.locked_at) if day.locked_at else _("unknown")
    story = _("Locked by %(by)s, %(when)s.", by=locked_by(day)[0], when=when)
    return f"{story} {isolated(day.lock_reason)}" if day.lock_reason else story


def state_of(day: PlannedDay | None) -> Word:
    """The state of a day, planned or not."""
    if day is None:
        return STATES[NOT_PLANNED]
    return STATES[DayState.LOCKED if day.is_locked(utcnow()) else DayState.OPEN]


def opening(day: PlannedDay) -> str:
    """The end of a day's opening, in a table."""
    assert day.open_until is not None  # it was opened
    when = formats.plain(day.open_until)
    if day.has_ended(utcnow()):
        return _("its opening ended %(when)s", when=when)
    return _("until %(when)s", when=when)


def opening_story(day: DutySchedule) -> str:
    """Who opened the day again, and why; what comes after, or when it ended."""
    by, reason = isolated(day.unlocked_by), isolated(day.unlock_reason)
    story = _("Opened by %(by)s: %(reason)s.", by=by, reason=reason)
    assert day.open_until is not None  # it was opened
    if day.has_ended(utcnow()):
        ended = _("Its opening ended %(when)s.", when=formats.plain(day.open_until))
        return f"{ended} {story}"
    after = _("After that nothing of it can be changed again.")
    return f"{story} {after}"


def hours(starts: datetime, ends: datetime) -> str:
    """14:00–22:00; in Arabic in words, since a dash would turn the order."""
    return _("%(from)s–%(to)s", **{"from": formats.clock(starts), "to": formats.clock(ends)})


def of_locked_day(params: Params) -> Params:
    """The stored day as people read it."""
    try:
        day = formats.whole_date(date.fromisoformat(params["date"]))
        # Older rows have no English name.
        project = SimpleNamespace(name=params["project"], name_en=params.get("project_en"))
        return {**params, "project": isolated(named(project)), "date": day}
    except ValueError:
        return params
