"""Reading days of duty, as far as somebody may see them."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import groupby
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, false, or_, select
from sqlalchemy.orm import joinedload

from k9ops.core.clock import db_now
from k9ops.core.db import db
from k9ops.core.errors import Forbidden, NotFound
from k9ops.core.i18n import gettext as _
from k9ops.projects.models import Project
from k9ops.projects.scope import Viewer, visible_projects
from k9ops.schedules.models import Attendance, DayState, DutyItem, DutySchedule, Shift


def stands(person_id: int) -> ColumnElement[bool]:
    """The items in which the person is planned or stands in for somebody."""
    return or_(DutyItem.handler_id == person_id, DutyItem.replacement_id == person_id)


def on_duty(person_id: int) -> ColumnElement[bool]:
    """The items in which the person really has to be there."""
    own = and_(
        DutyItem.handler_id == person_id,
        DutyItem.attendance.not_in([Attendance.ABSENT, Attendance.REPLACED]),
    )
    return or_(own, DutyItem.replacement_id == person_id)


def is_open() -> ColumnElement[bool]:
    """The days that can be changed now: not locked, and not opened for a time that is over."""
    goes_on = or_(DutySchedule.open_until.is_(None), DutySchedule.open_until > db_now())
    return and_(DutySchedule.state == DayState.OPEN, goes_on)


def visible_days(viewer: Viewer) -> Select[DutySchedule]:
    """Days of their projects; for whoever does not plan, those in which they stand."""
    query = select(DutySchedule)
    if viewer.sees_all:
        return query
    if viewer.plans:
        projects = visible_projects(viewer).with_only_columns(Project.id)
        return query.where(DutySchedule.project_id.in_(projects))
    if viewer.person_id is None:
        return query.where(false())
    mine = exists().where(DutyItem.duty_schedule_id == DutySchedule.id, stands(viewer.person_id))
    return query.where(mine)


def get_visible_day(viewer: Viewer, day_id: int) -> DutySchedule:
    """Raise NotFound when there is none of that id that they may see."""
    query = visible_days(viewer).where(DutySchedule.id == day_id)
    day: DutySchedule | None = db.session.scalars(
        query.options(joinedload(DutySchedule.project).joinedload(Project.manager))
    ).one_or_none()
    if day is None:
        raise NotFound(_("There is no such day of duty."))
    return day


def get_planned_day(viewer: Viewer, day_id: int) -> DutySchedule:
    """The day, for whoever plans it.

    Raises:
        NotFound: there is none of that id that they may see.
        Forbidden: they may only see it.
    """
    day = get_visible_day(viewer, day_id)
    if not viewer.plans:
        raise Forbidden(_("Only the manager of the project changes its days of duty."))
    return day


def items_of(viewer: Viewer, day_id: int) -> list[DutyItem]:
    """The duties of a day in order of time: all, or for whoever does not plan their own."""
    query = _items_of_day()
    if not (viewer.sees_all or viewer.plans):
        query = query.where(stands(viewer.person_id) if viewer.person_id else false())
    return list(db.session.scalars(query, {"day": day_id}))


@cache
def _items_of_day() -> Select[DutyItem]:
    """Kept and prepared, since to build and plan it takes longer than to answer it."""
    query: Select[DutyItem] = select(DutyItem).where(DutyItem.duty_schedule_id == bindparam("day"))
    loaded = (DutyItem.handler, DutyItem.replacement, DutyItem.dog, DutyItem.shift, DutyItem.place)
    query = query.options(*(joinedload(one) for one in loaded))
    return query.order_by(DutyItem.starts_at, DutyItem.id).execution_options(prepare=True)


def by_shift(items: Iterable[DutyItem]) -> list[list[DutyItem]]:
    """The duties in order of time; a shift that was moved meanwhile stands once for each time."""
    ordered = sorted(items, key=_shift_key)
    return [list(found) for _key, found in groupby(ordered, _shift_key)]


def _shift_key(item: DutyItem) -> tuple[datetime, datetime, int]:
    return item.starts_at, item.ends_at, item.shift_id


def active_shifts() -> list[Shift]:
    """In the order of the day."""
    return list(db.session.scalars(of_active_shifts()))


def of_active_shifts() -> Select[Shift]:
    """In the order of the day."""
    return select(Shift).where(Shift.active).order_by(Shift.starts, Shift.ends)


def span_of(shift: Shift, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When the shift of that day begins and ends (UTC); a night shift ends on the next day."""
    end_day = day if shift.ends > shift.starts else day + timedelta(days=1)
    return _instant(day, shift.starts, zone), _instant(end_day, shift.ends, zone)


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)
