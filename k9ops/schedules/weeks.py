"""Reading duty by days and weeks: what is planned, what is locked, and what is missing."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    and_,
    case,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Bundle, join, joinedload, outerjoin

from k9ops.audit.unchanged import unless_changed
from k9ops.core.clock import db_now, read_now
from k9ops.core.db import db
from k9ops.core.paging import NumberedPage, Order, by_name, numbered_page
from k9ops.core.settings import current_settings
from k9ops.jobs.models import PeriodicTask
from k9ops.people.models import Person
from k9ops.projects.models import Project, ProjectStatus
from k9ops.projects.scope import Viewer, visible_projects
from k9ops.schedules.conflicts import in_conflict
from k9ops.schedules.jobs import AUTO_LOCK
from k9ops.schedules.locking import is_over
from k9ops.schedules.models import Attendance, DayState, DutyItem, DutySchedule, PlannedDay
from k9ops.schedules.queries import is_open, stands, visible_days
from k9ops.web.formats import named

NOT_PLANNED = "not_planned"


@dataclass(frozen=True)
class Counts:
    """The duties of one day."""

    planned: int = 0
    present: int = 0
    absent: int = 0
    #: Begun, and nobody noted who came.
    unmarked: int = 0

    @property
    def standing(self) -> int:
        return self.planned - self.absent


@dataclass(frozen=True)
class ProjectDay:
    """A project on a day, planned or not."""

    #: Its id, code and names.
    project: Any
    date: date
    day: PlannedDay | None
    counts: Counts
    #: Duties that cannot stand as they are planned.
    conflicts: int


@dataclass(frozen=True)
class WeekDay:
    """What the days of the chosen projects on one date add up to."""

    date: date
    #: One of its days, for a link when there is no other.
    day_id: int | None = None
    not_planned: int = 0
    open: int = 0
    locked: int = 0
    #: Of the open ones, those that the next automatic lock takes.
    locks_next: int = 0
    conflicts: int = 0


def week_of(day: date) -> list[date]:
    """The seven days of its week, which begins on Sunday."""
    sunday = day - timedelta(days=(day.weekday() + 1) % 7)
    return [sunday + timedelta(days=number) for number in range(7)]


def next_lock() -> datetime | None:
    """When the automatic lock is due next; None while it is paused."""
    query = select(PeriodicTask.next_due_at).where(
        PeriodicTask.job == AUTO_LOCK, PeriodicTask.enabled, PeriodicTask.next_due_at.is_not(None)
    )
    first = query.order_by(PeriodicTask.next_due_at).limit(1)
    return unless_changed("next_lock", lambda: db.session.scalar(first))


def project_names(viewer: Viewer) -> dict[str, str]:
    """The projects that they may see, by id, for a filter."""
    columns = Project.id, Project.code, Project.name, Project.name_en
    query = visible_projects(viewer).order_by(Project.code).with_only_columns(*columns)
    rows = unless_changed(("projects", viewer), lambda: db.session.execute(query).all())
    return {str(row.id): f"{named(row)} ({row.code})" for row in rows}


#: Of open days, by their ids: the date, and how many duties cannot stand.
Conflicts = Mapping[int, tuple[date, int]]


def conflicts_on(viewer: Viewer, days: Sequence[date], project_id: int | None = None) -> Conflicts:
    """The conflicts of the days; asked again when somebody changed something."""
    key = ("conflicts", viewer, tuple(days), project_id)
    return unless_changed(key, lambda: _conflicts_on(viewer, days, project_id))


def _conflicts_on(viewer: Viewer, days: Sequence[date], project_id: int | None) -> Conflicts:
    query = visible_days(viewer).join(DutyItem, DutyItem.duty_schedule_id == DutySchedule.id)
    query = query.where(DutySchedule.date.between(days[0], days[-1]), is_open(), in_conflict())
    if project_id is not None:
        query = query.where(DutySchedule.project_id == project_id)
    columns = DutySchedule.id, DutySchedule.date, func.count()
    counted = query.with_only_columns(*columns).group_by(DutySchedule.id)
    return {row[0]: (row[1], row[2]) for row in db.session.execute(counted)}


def summed_week(
    viewer: Viewer,
    days: Sequence[date],
    conflicts: Conflicts,
    locks_at: datetime | None,
    project_id: int | None = None,
) -> list[WeekDay]:
    """Each of the days; `locks_at` is when the automatic lock is due."""
    key = ("week", viewer, tuple(days), locks_at, project_id)
    found = unless_changed(key, lambda: _summed(viewer, days, locks_at, project_id))
    wrong = Counter(on for on, _duties in conflicts.values())
    return [replace(found.get(day, WeekDay(day)), conflicts=wrong[day]) for day in days]


def _summed(
    viewer: Viewer, days: Sequence[date], locks_at: datetime | None, project_id: int | None
) -> dict[date, WeekDay]:
    dates = _dates(days)
    query: Select[Any] = _on(viewer, dates, days, project_id).with_only_columns(
        dates.c.date,
        func.min(DutySchedule.id),
        func.count().filter(DutySchedule.id.is_(None)),
        func.count().filter(is_open()),
        func.count().filter(not_(is_open())),
        func.count().filter(_locks_by(locks_at)),
    )
    rows: Any = db.session.execute(query.group_by(dates.c.date))
    return {row[0]: WeekDay(*row) for row in rows}


def week_beside(viewer: Viewer, day: DutySchedule, locks_at: datetime | None) -> list[WeekDay]:
    """The week of the day's project alone, with the day before it and the one after."""
    first = week_of(day.date)[0] - timedelta(days=1)
    days = [first + timedelta(days=number) for number in range(9)]
    conflicts = conflicts_on(viewer, days, day.project_id)
    return summed_week(viewer, days, conflicts, locks_at, day.project_id)


def _locks_by(at: datetime | None) -> ColumnElement[bool]:
    """The open days that are over by then."""
    if at is None:
        return false()
    return and_(is_open(), is_over(at, at.astimezone(current_settings().zone).date()))


#: As much of a project and of its day as a list shows.
_PROJECT: Any = Bundle("project", Project.id, Project.code, Project.name, Project.name_en)
_DAY: Any = Bundle("day", DutySchedule.id, DutySchedule.state, DutySchedule.open_until)


#: What the list of days is sorted by, then by day and code.
HEADS = ("day", "project", "state")


def page_of_days(
    viewer: Viewer,
    days: Sequence[date],
    conflicts: Conflicts,
    order: Order,
    *,
    project_id: int | None = None,
    state: str = "",
    number: int = 1,
    limit: int = 25,
) -> NumberedPage[ProjectDay]:
    """The projects that run on the days; planned days and others."""
    dates = _dates(days)
    query: Select[Any] = _on(viewer, dates, days, project_id).with_only_columns(
        Bundle("row", _PROJECT, dates.c.date, _DAY)
    )
    if state == NOT_PLANNED:
        query = query.where(DutySchedule.id.is_(None))
    elif state:
        query = query.where(is_open() if state == DayState.OPEN else not_(is_open()))
    # Open ones, locked ones, those that are not planned.
    state_order = case((DutySchedule.id.is_(None), 2), (is_open(), 0), else_=1)
    heads = {"day": dates.c.date, "project": by_name(Project)[0], "state": state_order}
    first, code = order.of(heads, Project.code)
    page = numbered_page(db.session(), query, first, dates.c.date, code, number=number, limit=limit)
    return NumberedPage(_filled(page.items, conflicts), page.number, page.total, page.limit)


def counts_of(day_ids: Iterable[int]) -> dict[int, Counts]:
    """How the duties of these days stand."""
    unmarked = and_(DutyItem.attendance == Attendance.PLANNED, DutyItem.starts_at <= db_now())
    came = DutyItem.attendance.in_([Attendance.PRESENT, Attendance.REPLACED])
    query = (
        select(
            DutyItem.duty_schedule_id,
            func.count(),
            func.count().filter(came),
            func.count().filter(DutyItem.attendance == Attendance.ABSENT),
            func.count().filter(unmarked),
        )
        .where(DutyItem.duty_schedule_id.in_(list(day_ids)))
        .group_by(DutyItem.duty_schedule_id)
    )
    return {row[0]: Counts(*row[1:]) for row in db.session.execute(query)}


def counts_of_day(day_id: int) -> Counts:
    return counts_of([day_id]).get(day_id, Counts())


def tally(items: Sequence[DutyItem], now: datetime) -> Counts:
    """As `counts_of`, for the duties of one day that were read already."""
    states = Counter(item.attendance for item in items)
    came = states[Attendance.PRESENT] + states[Attendance.REPLACED]
    unmarked = [i for i in items if i.attendance == Attendance.PLANNED and i.starts_at <= now]
    return Counts(len(items), came, states[Attendance.ABSENT], len(unmarked))


def duties_of(viewer: Viewer, first: datetime, last: datetime) -> list[DutyItem]:
    """The viewer's own duties that begin between the two, in order of time."""
    query = (
        _own_duties(viewer.person_id)
        .where(DutyItem.starts_at >= first, DutyItem.starts_at < last)
        .order_by(DutyItem.starts_at, DutyItem.id)
    )
    return list(db.session.scalars(query))


def own_week(viewer: Viewer, week: Sequence[date]) -> list[DutyItem]:
    """The viewer's own duties of those days."""
    zone, ends = current_settings().zone, (week[0], week[-1] + timedelta(days=1))
    return duties_of(viewer, *(datetime.combine(one, time(), zone) for one in ends))


def next_duty(viewer: Viewer) -> DutyItem | None:
    """The viewer's duty that goes on now or comes next; not one in which they do not stand."""
    now = read_now(db.session())
    query = _own_duties(viewer.person_id).where(
        DutyItem.ends_at > now,
        DutyItem.attendance != Attendance.ABSENT,
        func.coalesce(DutyItem.replacement_id, DutyItem.handler_id) == viewer.person_id,
    )
    return db.session.scalars(query.order_by(DutyItem.starts_at).limit(1)).one_or_none()


def companions_of(items: Iterable[DutyItem]) -> dict[int, list[Person]]:
    """Who stands beside each duty: others of the same day and shift."""
    mine = list(items)
    query = select(DutyItem).where(
        DutyItem.duty_schedule_id.in_({item.duty_schedule_id for item in mine}),
        DutyItem.attendance != Attendance.ABSENT,
    )
    query = query.options(joinedload(DutyItem.handler), joinedload(DutyItem.replacement))
    others = list(db.session.scalars(query.order_by(DutyItem.id)))
    return {
        item.id: [
            other.replacement or other.handler
            for other in others
            if other.id != item.id
            and other.duty_schedule_id == item.duty_schedule_id
            and other.shift_id == item.shift_id
        ]
        for item in mine
    }


def _own_duties(person_id: int | None) -> Select[DutyItem]:
    day = joinedload(DutyItem.schedule).joinedload(DutySchedule.project)
    loaded = (DutyItem.handler, DutyItem.replacement, DutyItem.dog, DutyItem.shift, DutyItem.place)
    query: Select[DutyItem] = select(DutyItem).where(stands(person_id or 0))
    return query.options(day.joinedload(Project.manager), *(joinedload(one) for one in loaded))


def _dates(days: Sequence[date]) -> Any:
    return union_all(*(select(literal(day, Date()).label("date")) for day in days)).subquery()


def _on(
    viewer: Viewer, dates: Any, days: Sequence[date], project_id: int | None
) -> Select[Project]:
    """Their projects with each of the dates, where one is planned or could be."""
    day = dates.c.date
    lasts = and_(Project.starts_on <= day, or_(Project.ends_on.is_(None), Project.ends_on >= day))
    runs = Project.status.in_([ProjectStatus.PLANNED, ProjectStatus.ACTIVE])
    # The database sees the bounds, and does not read all days ever planned.
    near = DutySchedule.date.between(days[0], days[-1])
    planned = and_(DutySchedule.project_id == Project.id, DutySchedule.date == day, near)
    joined = outerjoin(join(Project, dates, true()), DutySchedule, planned)
    query = visible_projects(viewer).select_from(joined)
    query = query.where(or_(DutySchedule.id.is_not(None), and_(runs, lasts)))
    return query if project_id is None else query.where(Project.id == project_id)


def _filled(rows: Sequence[Any], conflicts: Conflicts) -> list[ProjectDay]:
    """The rows with their counts."""
    counts = counts_of(row.day.id for row in rows if row.day.id is not None)
    wrong = {day_id: duties for day_id, (_on, duties) in conflicts.items()}
    return [
        ProjectDay(
            row.project,
            row.date,
            PlannedDay(*row.day) if row.day.id is not None else None,
            counts.get(row.day.id, Counts()),
            wrong.get(row.day.id, 0),
        )
        for row in rows
    ]
