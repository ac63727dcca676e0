"""Planning days of duty and noting who came. Each function commits, and is audited.

Whether a day is locked and whether somebody is booked twice is decided by the database, so that
two who plan at once are told apart too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import joinedload
from sqlalchemy.orm.exc import StaleDataError

from k9ops.audit.services import Actor, Target, record
from k9ops.core.checks import checked, text_up_to, unit_today
from k9ops.core.clock import read_now
from k9ops.core.db import changed, db
from k9ops.core.errors import BadInput, Conflict, NotFound
from k9ops.core.i18n import gettext as _
from k9ops.core.seen import hold, write
from k9ops.people.models import Person
from k9ops.projects.models import Project, ProjectStatus
from k9ops.projects.scope import Viewer, get_visible_project
from k9ops.projects.services import check_in_span
from k9ops.schedules.errors import DayLocked, day_locked, explained, gave_way
from k9ops.schedules.fitting import Fitting
from k9ops.schedules.models import Attendance, DayState, DutyItem, DutySchedule
from k9ops.schedules.queries import get_planned_day, get_visible_day, items_of, visible_days

NOTE_LIMIT = 400
NOTE = {"note": text_up_to(NOTE_LIMIT)}
DAY_NOTE_LIMIT = 4000
DAY_NOTE = {"notes": text_up_to(DAY_NOTE_LIMIT)}
#: What becomes of a duty that is planned anew.
ANEW = {"attendance": Attendance.PLANNED, "replacement_id": None}
FIRST_DAY = date(2000, 1, 1)
#: Nobody plans farther ahead.
FARTHEST = timedelta(days=366)
#: Somebody was there; what is noted from the beginning of a duty on.
CAME = (Attendance.PRESENT, Attendance.REPLACED)


@dataclass(frozen=True)
class NewItem:
    """Who is to stand where."""

    handler_id: int
    shift_id: int
    dog_id: int | None = None
    place_id: int | None = None
    note: str = ""


@dataclass(frozen=True)
class DayNote:
    """What is to be known of a whole day."""

    notes: str


@dataclass(frozen=True)
class Copied:
    """The day that was copied to, how many duties, and what did not fit: who, and why not."""

    day: DutySchedule
    copied: int
    left_out: list[tuple[Person, str]]


def plan_day(viewer: Viewer, project_id: int, day: date, *, actor: Actor) -> DutySchedule:
    """Open a day of duty for the project; the one that is there already is returned.

    Raises:
        NotFound: no such project, or not theirs.
        Conflict: the project is over.
        BadInput: the day is too far off, or none of the project's.
    """
    project = _plannable(viewer, project_id, day, "date")
    with _changing():
        return _day_for(project, day, actor)


def copy_day(viewer: Viewer, day_id: int, to: date, *, actor: Actor) -> Copied:
    """Plan another day like this one: its duties, without their attendance.

    What no longer fits (somebody is booked, a dog is unfit) is left out and told. All that fits is
    one transaction.

    Raises:
        BadInput: it is the same day, one too far off, or none of the project's.
        NotFound, Conflict: see `plan_day`.
        DayLocked: the other day is locked.
    """
    source = get_visible_day(viewer, day_id)
    if to == source.date:
        raise BadInput(_("Choose another day."), field="to")
    project = _plannable(viewer, source.project_id, to, "to")
    duties = items_of(viewer, source.id)
    left_out: dict[int, str] = {}
    with _changing():
        target = get_open_day(viewer, _day_for(project, to, actor).id)
        fit = Fitting(target)
        for duty in duties:
            if why := _why_not(target, fit, _planned(duty), actor):
                left_out[duty.id] = why
    return Copied(target, len(duties) - len(left_out), _told(left_out))


def note_day(
    viewer: Viewer, day_id: int, notes: str, *, actor: Actor, seen: str | None = None
) -> DutySchedule:
    """Keep what is to be known of the whole day.

    Raises as `add_item` does, and Stale when it is no longer what was `seen`.
    """
    day = get_open_day(viewer, day_id)
    notes = checked(DayNote(notes), DAY_NOTE).notes
    with _changing():
        if changes := write(day, {"notes": notes}, seen):
            _note(actor, "schedule.noted", day, changes)
    return day


def add_item(viewer: Viewer, day_id: int, new: NewItem, *, actor: Actor) -> DutyItem:
    """Plan a handler, perhaps with a dog, for a shift of the day.

    Raises:
        NotFound: no such day, or not theirs.
        Forbidden: they see it, but do not plan it.
        BadInput: a field is wrong; it is named.
        DayLocked, DoubleBooked: see there.
    """
    day = get_open_day(viewer, day_id)
    values = _checked(Fitting(day), new)
    with _changing():
        return _add(day, new, values, actor)


def change_item(
    viewer: Viewer, item_id: int, new: NewItem, *, actor: Actor, seen: str | None = None
) -> DutyItem:
    """Plan the duty otherwise; another handler is planned anew, whatever became of the one before.

    What stays as it was is not checked again, so that a past duty can be corrected although its
    dog is unfit by now. Raises as `add_item` does, and Stale when it is no longer what was `seen`.
    """
    item, day = get_open_item(viewer, item_id)
    before = _planned(item)
    values = _checked(Fitting(day), new, before)
    if new.handler_id != before.handler_id or _is_put_off(item, values):
        values |= ANEW
    with _changing():
        if write(item, values, seen, [*asdict(new), *ANEW]):
            detail = {"item": item.id, **_changes(before, new)}
            _note(actor, "schedule.item_changed", day, detail)
    return item


def remove_item(viewer: Viewer, item_id: int, *, actor: Actor) -> DutySchedule:
    """Take a duty out of its day, which is returned.

    Raises:
        NotFound, Forbidden, DayLocked: see `add_item`.
    """
    item, day = get_open_item(viewer, item_id)
    detail = {"item": item.id, **asdict(_planned(item))}
    with _changing():
        if not changed(db.session.execute(delete(DutyItem).where(DutyItem.id == item_id))):
            raise _no_duty()
        _note(actor, "schedule.item_removed", day, detail)
    return day


def mark_attendance(
    viewer: Viewer,
    item_id: int,
    attendance: Attendance,
    *,
    actor: Actor,
    replacement_id: int | None = None,
    note: str | None = None,
    seen: str | None = None,
) -> DutyItem:
    """Note whether the handler came, or who stood in.

    Raises as `change_item` does; BadInput names `replacement_id` when `replaced` lacks it, and
    `attendance` when somebody is to have come to a duty that has not begun.
    """
    item, day = get_open_item(viewer, item_id)
    if attendance in CAME and not has_begun(item):
        hint = _("Who came is noted from its beginning on; who is absent can be noted before.")
        raise BadInput(_("This duty has not begun yet."), field="attendance", hint=hint)
    if attendance is not Attendance.REPLACED:
        replacement_id = None
    elif replacement_id is None or replacement_id == item.handler_id:
        raise BadInput(_("Choose who stood in."), field="replacement_id")
    elif replacement_id != item.replacement_id:
        Fitting(day).check_handler(replacement_id, "replacement_id")
    values: dict[str, Any] = {"attendance": attendance, "replacement_id": replacement_id}
    if note is not None:
        values |= {"note": checked(replace(_planned(item), note=note), NOTE).note}
    with _changing():
        if write(item, values, seen):
            detail = {"item": item.id, "attendance": attendance, "replacement": replacement_id}
            _note(actor, "schedule.attendance_marked", day, detail)
    return item


def has_begun(item: DutyItem) -> bool:
    """From then on it can be noted who came."""
    return item.starts_at <= read_now(db.session())


def day_of(project_id: int, day: date) -> DutySchedule | None:
    """The project's day, if it is planned."""
    query = select(DutySchedule).where(
        DutySchedule.project_id == project_id, DutySchedule.date == day
    )
    return db.session.scalars(query).one_or_none()


@contextmanager
def _changing() -> Iterator[None]:
    """Commit what the block changed, or undo it and say what the database refused."""
    try:
        yield
        db.session.commit()
    except (IntegrityError, StaleDataError) as error:
        db.session.rollback()
        raise explained(error) from error
    except OperationalError as error:
        db.session.rollback()
        if gave_way(error):
            raise explained(error) from error
        raise
    except Exception:
        db.session.rollback()
        raise


def get_open_day(viewer: Viewer, day_id: int) -> DutySchedule:
    """A day that they may change now.

    Raises:
        NotFound: no such day, or not theirs.
        Forbidden: they see it, but do not plan it.
        DayLocked: see there.
    """
    day = get_planned_day(viewer, day_id)
    if day.state == DayState.LOCKED:
        raise day_locked()
    if day.open_until is not None and day.has_ended(read_now(db.session())):
        raise day_locked(ended=True)
    return day


def get_open_item(viewer: Viewer, item_id: int) -> tuple[DutyItem, DutySchedule]:
    """A duty that they may change now, and its day; raises as `get_open_day` does."""
    days = visible_days(viewer).with_only_columns(DutySchedule.id)
    query = select(DutyItem).where(DutyItem.id == item_id, DutyItem.duty_schedule_id.in_(days))
    item = db.session.scalars(query).one_or_none()
    if item is None:
        raise _no_duty()
    return item, get_open_day(viewer, item.duty_schedule_id)


def _no_duty() -> NotFound:
    return NotFound(_("There is no such duty."))


def _planned(item: DutyItem) -> NewItem:
    return NewItem(item.handler_id, item.shift_id, item.dog_id, item.place_id, item.note)


def _changes(before: NewItem, after: NewItem) -> dict[str, Any]:
    old, new = asdict(before), asdict(after)
    return {name: [old[name], new[name]] for name in old if old[name] != new[name]}


def _plannable(viewer: Viewer, project_id: int, day: date, field: str) -> Project:
    """The project, if it may be planned on that day; raises as `plan_day` does."""
    project = get_visible_project(viewer, project_id)
    if project.status in (ProjectStatus.COMPLETED, ProjectStatus.CANCELLED):
        hint = _("Make the project active again first.")
        raise Conflict(_("This project is over."), field="project_id", hint=hint)
    if not FIRST_DAY <= day <= unit_today() + FARTHEST:
        raise BadInput(_("Choose a day from 2000 on, at most a year ahead."), field=field)
    check_in_span(project, day, field)
    return project


def _day_for(project: Project, day: date, actor: Actor) -> DutySchedule:
    """The project's day, in the caller's transaction; who plans the same one meanwhile waits."""
    hold(project)
    found = day_of(project.id, day)
    if found is not None:
        return found
    made = DutySchedule(project_id=project.id, date=day, created_by=actor.name)
    db.session.add(made)
    db.session.flush()
    _note(actor, "schedule.planned", made)
    return made


def _add(day: DutySchedule, new: NewItem, values: dict[str, Any], actor: Actor) -> DutyItem:
    """The duty, in the caller's transaction."""
    item = DutyItem(duty_schedule_id=day.id, **values)
    db.session.add(item)
    db.session.flush()
    _note(actor, "schedule.item_added", day, {"item": item.id, **asdict(new)})
    return item


def _why_not(day: DutySchedule, fit: Fitting, new: NewItem, actor: Actor) -> str:
    """Add the duty if it fits; else why it does not."""
    try:
        values = _checked(fit, new)
        with db.session.begin_nested():
            _add(day, new, values, actor)
    except IntegrityError as error:
        refused = explained(error)
        if isinstance(refused, DayLocked):
            raise refused from error
        return refused.message
    except BadInput as error:
        return error.message
    return ""


def _told(left_out: dict[int, str]) -> list[tuple[Person, str]]:
    """The handlers of these duties, each with the reason."""
    query = select(DutyItem).where(DutyItem.id.in_(left_out)).options(joinedload(DutyItem.handler))
    duties = db.session.scalars(query.order_by(DutyItem.starts_at, DutyItem.id))
    return [(duty.handler, left_out[duty.id]) for duty in duties]


def _checked(fit: Fitting, new: NewItem, before: NewItem | None = None) -> dict[str, Any]:
    """The columns of a duty; each choice that is new must be one that fits the day."""
    values = asdict(checked(new, NOTE))
    if before is None or new.handler_id != before.handler_id:
        fit.check_handler(new.handler_id, "handler_id")
    if before is None or new.shift_id != before.shift_id:
        values["starts_at"], values["ends_at"] = fit.times(new.shift_id)
    if new.dog_id is not None and (before is None or new.dog_id != before.dog_id):
        fit.check_dog(new.dog_id)
    if new.place_id is not None and (before is None or new.place_id != before.place_id):
        fit.check_place(new.place_id)
    return values


def _is_put_off(item: DutyItem, values: dict[str, Any]) -> bool:
    """Somebody came already, and is now to come later."""
    if item.attendance not in CAME or "starts_at" not in values:
        return False
    return bool(values["starts_at"] > read_now(db.session()))


def _note(
    actor: Actor, action: str, day: DutySchedule, detail: dict[str, Any] | None = None
) -> None:
    record(db.session(), actor, action, target_of(day), detail)


def target_of(day: DutySchedule) -> Target:
    """How the audit names a day."""
    project = db.session.get_one(Project, day.project_id)
    return Target("duty_schedule", day.id, f"{project.code} {day.date.isoformat()}")
