"""Duty on the home page: today's at a glance, and what of other days is not in order."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, and_, case, exists, func, or_, select, true
from sqlalchemy.orm import aliased

from k9ops.audit.unchanged import unless_changed
from k9ops.core.db import db
from k9ops.kennel.models import Dog
from k9ops.people.models import Person
from k9ops.projects.models import Project, ProjectStatus
from k9ops.projects.scope import Viewer, visible_projects
from k9ops.schedules.conflicts import in_conflict
from k9ops.schedules.models import Attendance, DayState, DutyItem, DutySchedule, Shift
from k9ops.schedules.queries import is_open, of_active_shifts

#: So many projects are shown, those with gaps first.
PROJECTS_SHOWN = 10
#: So many days are counted; more are "more than".
DAYS_COUNTED = 100
# A condition of conflicts asks for people and dogs too. To make an alias takes 3 ms.
_HANDLER, _DOG = aliased(Person), aliased(Dog)
#: Duties in conflict are read at most so many.
_CONFLICTS_READ = 1000
#: A locked day is brought up for so long.
REMEMBERED = timedelta(days=7)


class Slot(NamedTuple):
    """The duties of one shift of a day."""

    planned: int = 0
    #: Absent, and nobody stands in.
    absent: int = 0
    begun: int = 0
    #: Begun, and nobody noted who came.
    unmarked: int = 0
    conflicts: int = 0

    @property
    def standing(self) -> int:
        return self.planned - self.absent

    @property
    def came(self) -> int:
        return self.begun - self.absent - self.unmarked


@dataclass(frozen=True)
class ProjectToday:
    """A project's duty of today, by shift; `day_id` is None where no day is planned."""

    #: Its .id .name .name_en .code.
    project: Any
    day_id: int | None
    slots: dict[int, Slot] = field(default_factory=dict)

    @cached_property
    def whole(self) -> Slot:
        columns = zip(*self.slots.values(), strict=True)
        return Slot(*map(sum, columns))

    @property
    def has_gap(self) -> bool:
        whole = self.whole
        return not whole.planned or bool(whole.absent or whole.conflicts or whole.unmarked)


@dataclass(frozen=True)
class Today:
    """Today's duty; `more` projects are not shown."""

    #: Each has .id .name .name_en .starts .ends.
    shifts: Sequence[Row[Any]]
    rows: Sequence[ProjectToday]
    more: int


@dataclass(frozen=True)
class Duty:
    """All that the home page knows of duty."""

    conflicts: Sequence[Row[Any]]
    today: Today
    unmarked: Sequence[Row[Any]]
    #: Projects without any duty tomorrow.
    not_planned: Sequence[Row[Any]]


def duty_of(viewer: Viewer, today: date, now: datetime) -> Duty:
    """As far as they may see it; asked again when somebody changed something."""
    return unless_changed(("duty", viewer, today), lambda: _read(viewer, today, now))


def _read(viewer: Viewer, today: date, now: datetime) -> Duty:
    wrong = conflicts(viewer, today)
    return Duty(
        wrong,
        todays_duty(viewer, today, now, wrong),
        unmarked_days(viewer, today, now),
        not_planned(viewer, today + timedelta(days=1)),
    )


def todays_duty(viewer: Viewer, today: date, now: datetime, conflicts: Iterable[Row[Any]]) -> Today:
    """The running projects that they may see, those with gaps first: three statements.

    `conflicts` are those of the function of this name.
    """
    counts = Counter((row.day_id, row.shift_id) for row in conflicts)
    slots = _slots(viewer, today, now, counts)
    planned = and_(DutySchedule.project_id == Project.id, DutySchedule.date == today)
    columns = Project.id, Project.name, Project.name_en, Project.code
    query = _running(viewer, today).outerjoin(DutySchedule, planned)
    found = db.session.execute(query.with_only_columns(*columns, DutySchedule.id.label("day_id")))
    rows = [ProjectToday(row, row.day_id, slots[row.day_id]) for row in found]
    rows.sort(key=lambda row: (not row.has_gap, row.project.code))
    return Today(_shifts(), rows[:PROJECTS_SHOWN], max(len(rows) - PROJECTS_SHOWN, 0))


def _shifts() -> Sequence[Row[Any]]:
    columns = Shift.id, Shift.name, Shift.name_en, Shift.starts, Shift.ends
    query: Any = of_active_shifts().with_only_columns(*columns)
    return list(db.session.execute(query))


def _slots(
    viewer: Viewer, today: date, now: datetime, conflicts: Counter[tuple[int, int]]
) -> dict[int | None, dict[int, Slot]]:
    """The duties of today by day and shift."""
    begun = DutyItem.starts_at <= now
    unmarked = and_(begun, DutyItem.attendance == Attendance.PLANNED)
    query = (
        select(
            DutyItem.duty_schedule_id,
            DutyItem.shift_id,
            func.count(),
            func.count().filter(DutyItem.attendance == Attendance.ABSENT),
            func.count().filter(or_(begun, DutyItem.attendance != Attendance.PLANNED)),
            func.count().filter(unmarked),
        )
        .join(DutySchedule, DutySchedule.id == DutyItem.duty_schedule_id)
        .where(DutySchedule.date == today, _visible(viewer))
        .group_by(DutyItem.duty_schedule_id, DutyItem.shift_id)
    )
    found: dict[int | None, dict[int, Slot]] = defaultdict(dict)
    for day, shift, *counts in db.session.execute(query):
        found[day][shift] = Slot._make([*counts, conflicts[day, shift]])
    return found


def unmarked_days(viewer: Viewer, today: date, now: datetime) -> list[Row[Any]]:
    """Days with duties that are over and unmarked, oldest first: open ones, and of late locked.

    Each has .id .state .date .duties .since and its project's .name .name_en.
    """
    over = and_(DutyItem.attendance == Attendance.PLANNED, DutyItem.ends_at <= now)
    kept_open = and_(DutySchedule.state == DayState.OPEN, DutySchedule.date <= today)
    state = case((is_open(), DayState.OPEN.value), else_=DayState.LOCKED.value)
    late = and_(DutySchedule.date >= today - REMEMBERED, DutySchedule.date <= today)
    query = (
        select(
            DutySchedule.id,
            state.label("state"),
            DutySchedule.date,
            Project.name,
            Project.name_en,
            func.count().label("duties"),
            func.min(DutyItem.ends_at).label("since"),
        )
        .join(DutyItem, DutyItem.duty_schedule_id == DutySchedule.id)
        .join(Project, Project.id == DutySchedule.project_id)
        .where(_visible(viewer), or_(kept_open, late), over)
        .group_by(DutySchedule.id, Project.id)
        .order_by(DutySchedule.date, DutySchedule.id)
    )
    return list(db.session.execute(query.limit(DAYS_COUNTED)))


def not_planned(viewer: Viewer, day: date) -> list[Row[Any]]:
    """The running projects without any duty on that day; each has .id .name .name_en."""
    duty = exists().where(
        DutySchedule.project_id == Project.id,
        DutySchedule.date == day,
        DutyItem.duty_schedule_id == DutySchedule.id,
    )
    query = _running(viewer, day).where(~duty).order_by(Project.code)
    columns = Project.id, Project.name, Project.name_en
    return list(db.session.execute(query.with_only_columns(*columns).limit(DAYS_COUNTED)))


def conflicts(viewer: Viewer, today: date) -> list[Row[Any]]:
    """Duties still to be done whose dog or handler may not stand there, the next one first.

    Each has .id .day_id .shift_id .starts_at .handler .handler_en .dog .dog_en and its project's
    .name .name_en.
    """
    query = (
        select(
            DutyItem.id,
            DutyItem.duty_schedule_id.label("day_id"),
            DutyItem.shift_id,
            DutyItem.starts_at,
            Project.name,
            Project.name_en,
            _HANDLER.name.label("handler"),
            _HANDLER.name_en.label("handler_en"),
            _DOG.name.label("dog"),
            _DOG.name_en.label("dog_en"),
        )
        .join(DutySchedule, DutySchedule.id == DutyItem.duty_schedule_id)
        .join(Project, Project.id == DutySchedule.project_id)
        .join(_HANDLER, _HANDLER.id == DutyItem.handler_id)
        .outerjoin(_DOG, _DOG.id == DutyItem.dog_id)
        .where(DutySchedule.date >= today - timedelta(days=1), _visible(viewer))
        .where(is_open(), in_conflict())
        .order_by(DutyItem.starts_at, DutyItem.id)
    )
    return list(db.session.execute(query.limit(_CONFLICTS_READ)))


def _visible(viewer: Viewer) -> ColumnElement[bool]:
    """The days of the projects that they may see."""
    if viewer.sees_all:
        return true()
    projects = visible_projects(viewer).with_only_columns(Project.id)
    return DutySchedule.project_id.in_(projects)


def _running(viewer: Viewer, day: date) -> Select[Project]:
    """The active projects that last on that day."""
    lasts = and_(Project.starts_on <= day, or_(Project.ends_on.is_(None), Project.ends_on >= day))
    return visible_projects(viewer).where(Project.status == ProjectStatus.ACTIVE, lasts)
