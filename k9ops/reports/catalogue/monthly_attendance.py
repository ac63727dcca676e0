"""A month of a project: its handlers by days, with what became of each duty."""

from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from babel.dates import format_date
from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload

from k9ops.core.clock import utcnow
from k9ops.core.db import db
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.people.models import Person
from k9ops.projects.models import Project
from k9ops.reports.arguments import MONTH, PROJECT
from k9ops.reports.attendance import SIGNS, STOOD_IN, WORDS, Tally
from k9ops.reports.registry import Sheet, report
from k9ops.schedules.models import Attendance, DutyItem, DutySchedule
from k9ops.web import formats


@dataclass
class Row:
    """One person: what became of their duties on each day, and how often in all."""

    person: Person
    days: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    totals: Counter[str] = field(default_factory=Counter)

    def add(self, day: date, what: str) -> None:
        self.days[day.day].append(what)
        self.totals[what] += 1


@report(
    "monthly_attendance",
    title=_l("Attendance of a month"),
    arguments={"project": PROJECT, "month": MONTH},
)
def monthly_attendance(project: Project, month: date) -> Sheet:
    """Every handler who had a duty in the project in that month, by days."""
    days = _days_of(month)
    items = _items(project, days[0], days[-1])
    rows = _rows(items)
    title = _("Attendance: %(project)s", project=formats.isolated(formats.named(project)))
    name_of_month = format_date(month, "MMMM y", locale=formats.locale())
    context = {
        "heading": title,
        "subtitle": [name_of_month],
        "facts": _facts(project, days, items, len(rows)) if items else [],
        "days": [(day.day, format_date(day, "EEEEE", locale=formats.locale())) for day in days],
        "rows": rows,
        "totals": sum((row.totals for row in rows), Counter()),
        "signs": SIGNS,
        "words": WORDS,
    }
    name = f"{title}{_(',')} {name_of_month}"
    return Sheet(name, "monthly_attendance.html", context, project.id)


def _days_of(month: date) -> list[date]:
    last = monthrange(month.year, month.month)[1]
    return [month.replace(day=number) for number in range(1, last + 1)]


def _facts(
    project: Project, days: list[date], items: list[DutyItem], handlers: int
) -> list[tuple[str, str]]:
    planned = _planned(project, days[0], days[-1])
    return [
        (_("Days planned"), str(len(planned))),
        (_("Days locked"), str(sum(day.is_locked(utcnow()) for day in planned))),
        (_("Handlers"), str(handlers)),
        (_("Duties"), str(len(items))),
        *Tally.of(items).facts(),
    ]


def _rows(items: list[DutyItem]) -> list[Row]:
    """By name. Who stood in for somebody has it in their own row."""
    rows: dict[int, Row] = {}
    for person, day, what in _attended(items):
        rows.setdefault(person.id, Row(person)).add(day, what)
    return sorted(rows.values(), key=lambda row: (formats.named(row.person), row.person.id))


def _attended(items: list[DutyItem]) -> Iterator[tuple[Person, date, str]]:
    for item in items:
        yield item.handler, item.schedule.date, item.attendance
        if item.attendance == Attendance.REPLACED and item.replacement is not None:
            yield item.replacement, item.schedule.date, STOOD_IN


def _items(project: Project, first: date, last: date) -> list[DutyItem]:
    query = (
        select(DutyItem)
        .join(DutyItem.schedule)
        .where(DutySchedule.project_id == project.id, DutySchedule.date.between(first, last))
        .options(
            contains_eager(DutyItem.schedule),
            joinedload(DutyItem.handler),
            joinedload(DutyItem.replacement),
        )
        .order_by(DutyItem.starts_at, DutyItem.id)
    )
    return list(db.session.scalars(query))


def _planned(project: Project, first: date, last: date) -> list[DutySchedule]:
    query = select(DutySchedule).where(
        DutySchedule.project_id == project.id, DutySchedule.date.between(first, last)
    )
    return list(db.session.scalars(query))
