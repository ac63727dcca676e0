"""The week strip over the days of duty, and the ways from one day to the next."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from flask import url_for

from k9ops.schedules import words
from k9ops.schedules.models import DutySchedule
from k9ops.schedules.weeks import WeekDay
from k9ops.web.links import address


def of_unit(
    week: Iterable[WeekDay], today: date, locks_at: datetime | None
) -> list[dict[str, Any]]:
    """The days of all projects; each leads to its day on the page that shows the strip."""
    urls = ((one, address(day=one.date.isoformat(), span=None)) for one in week)
    return [_cell(one, today, locks_at, url) for one, url in urls]


def of_project(
    week: Iterable[WeekDay], beside: DutySchedule, today: date, locks_at: datetime | None
) -> list[dict[str, Any]]:
    """The days of the project of `beside`."""
    return [_cell(one, today, locks_at, _day_of(one, beside)) for one in week]


def turns(week: Sequence[WeekDay], beside: DutySchedule, today: date) -> list[str]:
    """The ways to the project's day before, to its today, and to the day after.

    None of them where there is no `week`, which holds the days round `beside`.
    """
    days = {one.date: one for one in week}
    wanted = beside.date - timedelta(days=1), today, beside.date + timedelta(days=1)
    return [_day_of(days.get(one, WeekDay(one)), beside) for one in wanted if week]


def _cell(one: WeekDay, today: date, locks_at: datetime | None, url: str) -> dict[str, Any]:
    return {"date": one.date, "url": url, "word": words.of_day(one, today, locks_at)}


def _day_of(one: WeekDay, beside: DutySchedule) -> str:
    """Where the same project's day of that date is, or can be planned."""
    if one.day_id is not None:
        return url_for("schedules.day", day_id=one.day_id)
    return url_for("schedules.index", day=one.date, project=beside.project_id)
