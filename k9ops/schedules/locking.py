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
from k9ops.schedules.queries import get_visible_day
from k9ops.schedules.services import get_open_day, target_of

REASON_LIMIT = 300
#: Nobody opens a day for longer.
LONGEST_OPENING = timedelta(days=31)
UNMARKED = "schedule.locked_unmarked"
#: Why a day is locked without a person's reason, as the audit tells it.
OVER, ENDED = "the day is over", "its opening has ended"


def lock_day(viewer: Viewer, day_id: int, reason: str, *, actor: Actor) -> DutySchedule:
    """Lock a day by hand, whether it is over or not.

    Raises:
        NotFound: no such day, or not theirs.
        Forbidden: they see it, but do not plan it.
        DayLocked: it is locked already, or its opening has ended.
        BadInput: the reason is missing or too long.
    """
    reason = _checked_reason(reason)
    day = get_open_day(viewer, day_id)
    if not _lock(day.id, reason, actor, read_now(db.session())):
        db.session.rollback()
        raise day_locked()
    db.session.commit()
    db.session.refresh(day)
    return day


def open_day(
    viewer: Viewer, day_id: int, reason: str, until: datetime, *, actor: Actor
) -> DutySchedule:
    """Open a locked day until a time; from then on it counts as locked, and is soon locked again.

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
    now = read_now(db.session())
    if day.has_ended(now):  # each opening follows a lock
        _lock(day.id, "", actor, now, DutySchedule.open_until <= now)
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
    """Ids of the open days that are over, oldest first; missed ones too.

    Those whose opening has ended are among them, over or not.
    """
    query = (
        select(DutySchedule.id)
        .where(DutySchedule.state == DayState.OPEN, is_over(now, _date_of(now)))
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
        _tell_manager(day_id, now)
    db.session.commit()
    return locked


def _lock(
    day_id: int, reason: str, actor: Actor, now: datetime, *where: ColumnElement[bool]
) -> bool:
    """Lock it in the caller's transaction, with its entry in the audit."""
    opened = select(DutySchedule.open_until).where(DutySchedule.id == day_id)
    why = ENDED if db.session.scalar(opened) else OVER
    values = {"locked_at": now, "locked_by": actor.name, "lock_reason": reason}
    # The next opening needs a person and a reason of its own.
    values |= {"unlocked_by": None, "unlock_reason": None, "open_until": None}
    statement = (
        update(DutySchedule)
        .where(DutySchedule.id == day_id, DutySchedule.state == DayState.OPEN, *where)
        .values(state=DayState.LOCKED, **values)
        .execution_options(synchronize_session=False)
    )
    if not changed(db.session.execute(statement)):
        return False
    day = db.session.get_one(DutySchedule, day_id)
    record(db.session(), actor, "schedule.locked", target_of(day), {"reason": reason or why})
    return True


def _date_of(instant: datetime) -> date:
    """The day of the unit's clock."""
    return instant.astimezone(current_settings().zone).date()


def is_over(now: datetime, today: date) -> ColumnElement[bool]:
    """Its last shift has ended, or without any duty its date is past.

    One that was opened for a time is over when that ends, then and not before.
    """
    items = exists().where(DutyItem.duty_schedule_id == DutySchedule.id)
    going_on = items.where(DutyItem.ends_at > now)
    over = and_(not_(going_on), or_(DutySchedule.date < today, items))
    return or_(and_(DutySchedule.open_until.is_(None), over), DutySchedule.open_until <= now)


def _tell_manager(day_id: int, locked_at: datetime) -> None:
    """Tell the project's manager that a day was locked with duties that nobody marked."""
    unmarked = exists().where(
        DutyItem.duty_schedule_id == day_id, DutyItem.attendance == Attendance.PLANNED
    )
    if not db.session.scalar(select(unmarked)):
        return
    day = db.session.get_one(DutySchedule, day_id)
    manager = day.project.manager
    if manager is not None and manager.user_id is not None:
        names = {"project": day.project.name, "project_en": day.project.name_en}
        params = names | {"date": day.date.isoformat()}
        key = f"{UNMARKED}:{day.id}:{locked_at.isoformat()}"
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
