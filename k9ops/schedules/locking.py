"""Locking days that are over, and opening one again for a time."""

from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, not_, or_, select, update

from k9ops.audit.services import Actor, record
from k9ops.core.clock import read_now
from k9ops.core.db import changed, db
from k9ops.core.errors import BadInput, Conflict, Forbidden
from k9ops.core.i18n import gettext as _
from k9ops.core.settings import current_settings
from k9ops.notifications.services import Message, notify
from k9ops.projects.scope import Viewer
from k9ops.schedules.errors import day_locked
from k9ops.schedules.models import Attendance, DayState, DutyItem, DutySchedule
from k9ops.schedules.queries import get_planned_day, get_visible_day
from k9ops.schedules.services import target_of

REASON_LIMIT = 300
#: Nobody opens a day for longer.
LONGEST_OPENING = timedelta(days=31)
UNMARKED = "schedule.locked_unmarked"
#: Why the automatic lock locks, as the audit tells it.
OVER = "the day is over"


def lock_day(viewer: Viewer, day_id: int, reason: str, *, actor: Actor) -> DutySchedule:
    """Lock a day by hand, whether it is over or not.

    Raises:
        NotFound: no such day, or not theirs.
        Forbidden: they see it, but do not plan it.
        DayLocked: it is locked already.
        BadInput: the reason is missing or too long.
    """
    reason = _checked_reason(reason)
    day = get_planned_day(viewer, day_id)
    if not _lock(day.id, reason, actor, read_now(db.session())):
        db.session.rollback()
        raise day_locked()
    db.session.commit()
    db.session.refresh(day)
    return day


def open_day(
    viewer: Viewer, day_id: int, reason: str, until: datetime, *, actor: Actor
) -> DutySchedule:
    """Open a locked day until a time; then the next automatic lock takes it again.

    `viewer` must see everything: only administrators open what is locked.

    Raises:
        Forbidden: they may not.
        NotFound: no such day.
        Conflict: it is not locked.
        BadInput: the reason is missing, or the time is past or over a month off.
    """
    if not viewer.sees_all:
        raise Forbidden(_("Only an administrator opens a locked day."))
    reason, until = _checked_reason(reason), _checked_until(until)
    day = get_visible_day(viewer, day_id)
    values = {"unlocked_by": actor.name, "unlock_reason": reason, "open_until": until}
    statement = (
        update(DutySchedule)
        .where(DutySchedule.id == day.id, DutySchedule.state == DayState.LOCKED)
        .values(state=DayState.OPEN, **values)
    )
    if not changed(db.session.execute(statement)):
        db.session.rollback()
        raise Conflict(_("This day is not locked."), code="not_locked")
    detail = {"reason": reason, "until": until.isoformat()}
    record(db.session(), actor, "schedule.unlocked", target_of(day), detail)
    db.session.commit()
    db.session.refresh(day)
    return day


def days_to_lock(now: datetime) -> list[int]:
    """Ids of the open days that are over, oldest first; missed ones too."""
    today = _date_of(now)
    query = (
        select(DutySchedule.id)
        .where(DutySchedule.state == DayState.OPEN, DutySchedule.date <= today)
        .where(is_over(now, today))
        .order_by(DutySchedule.date, DutySchedule.id)
    )
    return list(db.session.scalars(query))


def lock_if_over(day_id: int, actor: Actor) -> bool:
    """Lock the day if it is still open and over; whether it was locked. Commits; safe to repeat."""
    # Held first, so that a duty planned at this moment is seen by the UPDATE below.
    held = select(DutySchedule.id).where(DutySchedule.id == day_id).with_for_update()
    db.session.execute(held)
    now = read_now(db.session())
    locked = _lock(day_id, "", actor, now, is_over(now, _date_of(now)))
    if locked:
        _tell_manager(day_id)
    db.session.commit()
    return locked


def _lock(
    day_id: int, reason: str, actor: Actor, now: datetime, *where: ColumnElement[bool]
) -> bool:
    """Lock it in the caller's transaction, with its entry in the audit."""
    values = {"locked_at": now, "locked_by": actor.name, "lock_reason": reason, "open_until": None}
    statement = (
        update(DutySchedule)
        .where(DutySchedule.id == day_id, DutySchedule.state == DayState.OPEN, *where)
        .values(state=DayState.LOCKED, **values)
        .execution_options(synchronize_session=False)
    )
    if not changed(db.session.execute(statement)):
        return False
    day = db.session.get_one(DutySchedule, day_id)
    record(db.session(), actor, "schedule.locked", target_of(day), {"reason": reason or OVER})
    return True


def _date_of(instant: datetime) -> date:
    """The day of the unit's clock."""
    return instant.astimezone(current_settings().zone).date()


def is_over(now: datetime, today: date) -> ColumnElement[bool]:
    """Its last shift has ended, or without any duty its date is past; and it is not held open."""
    items = exists().where(DutyItem.duty_schedule_id == DutySchedule.id)
    going_on = items.where(DutyItem.ends_at > now)
    over = and_(not_(going_on), or_(DutySchedule.date < today, items))
    free = or_(DutySchedule.open_until.is_(None), DutySchedule.open_until <= now)
    return and_(over, free)


def _tell_manager(day_id: int) -> None:
    """Tell the project's manager that a day was locked with duties that nobody marked."""
    unmarked = exists().where(
        DutyItem.duty_schedule_id == day_id, DutyItem.attendance == Attendance.PLANNED
    )
    if not db.session.scalar(select(unmarked)):
        return
    day = db.session.get_one(DutySchedule, day_id)
    manager = day.project.manager
    if manager is not None and manager.user_id is not None:
        params = {"project": day.project.name, "date": day.date.isoformat()}
        key = f"{UNMARKED}:{day.id}"
        message = Message(UNMARKED, f"/schedules/{day.id}", params, dedupe_key=key)
        notify(db.session(), [manager.user_id], message)


def _checked_reason(reason: str) -> str:
    reason = reason.strip()
    if not 3 <= len(reason) <= REASON_LIMIT or "\0" in reason:
        text = _("Give a reason of 3 to %(n)s characters.", n=REASON_LIMIT)
        raise BadInput(text, field="reason")
    return reason


def _checked_until(until: datetime) -> datetime:
    now = read_now(db.session())
    if not now < until <= now + LONGEST_OPENING:
        text = _("Choose a time from now on, at most a month off.")
        raise BadInput(text, field="until")
    return until
