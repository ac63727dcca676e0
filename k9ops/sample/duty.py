"""Sixty days of duty until today and a few ahead, with gaps so that there is something to see."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select, update

from k9ops.core.db import db
from k9ops.core.settings import current_settings
from k9ops.sample import names
from k9ops.sample.unit import Team, insert_rows
from k9ops.schedules.jobs import AUTO_LOCK
from k9ops.schedules.models import Attendance, DayState, DutyItem, DutySchedule, Shift
from k9ops.schedules.queries import span_of

#: Today is the last of these days.
DAYS = 60
AHEAD = 3
#: Each handler has one day off in so many.
WEEK = 6
_HOURS = ((6, 14), (14, 22), (22, 6))
_NOTES = ("", "", "", "", "تبديل الماء كل ساعتين", "مع المشرف عند الاستلام", "ممر الحقائب أولًا")
#: Places of the projects among the six that have a gap.
ABSENT_TODAY, UNMARKED_TODAY, UNMARKED_BEFORE, NOT_PLANNED = 2, 3, 4, 5


@dataclass(frozen=True)
class _Calendar:
    """What the days share."""

    now: datetime
    today: date
    shifts: list[Shift]

    def span(self, shift: Shift, day: date) -> tuple[datetime, datetime]:
        return span_of(shift, day, current_settings().zone)

    def locked_at(self, day: date) -> datetime:
        """When the automatic lock comes after the end of the day's last shift."""
        settings = current_settings()
        over = max(self.span(shift, day)[1] for shift in self.shifts).astimezone(settings.zone)
        at = time(settings.schedule_auto_lock_hour, settings.schedule_auto_lock_minute)
        lock = datetime.combine(over.date(), at, settings.zone)
        return lock if lock >= over else lock + timedelta(days=1)


def add_duty(dice: random.Random, teams: list[Team], now: datetime) -> tuple[int, int]:
    """Days with their duties, the past ones locked: how many of each.

    Duties are inserted while their days are open, since the database refuses them afterwards.
    """
    today = now.astimezone(current_settings().zone).date()
    calendar = _Calendar(now, today, _add_shifts())
    days = insert_rows(DutySchedule, _days(teams, today))
    ids = {
        (project, day): id_
        for id_, project, day in db.session.execute(
            select(DutySchedule.id, DutySchedule.project_id, DutySchedule.date)
        )
    }
    duties = insert_rows(DutyItem, _items(dice, teams, calendar, ids))
    _lock_past(calendar)
    return days, duties


def _add_shifts() -> list[Shift]:
    shifts = [
        Shift(name=name.arabic, name_en=name.english, starts=time(begin), ends=time(end))
        for name, (begin, end) in zip(names.SHIFTS, _HOURS, strict=True)
    ]
    db.session.add_all(shifts)
    db.session.flush()
    return shifts


def _days(teams: list[Team], today: date) -> Iterator[dict[str, Any]]:
    """Oldest first; one project has not been planned beyond today."""
    for ahead in range(1 - DAYS, AHEAD + 1):
        day = today + timedelta(days=ahead)
        for number, team in enumerate(teams):
            if ahead > 0 and number % 6 == NOT_PLANNED:
                continue
            planned = datetime.combine(day - timedelta(days=4), time(11), current_settings().zone)
            yield {
                "project_id": team.project,
                "date": day,
                "state": DayState.OPEN,
                "notes": "",
                "created_by": team.manager,
                "created_at": planned,
            }


def _items(
    dice: random.Random,
    teams: list[Team],
    calendar: _Calendar,
    ids: dict[tuple[int, date], int],
) -> Iterator[dict[str, Any]]:
    places = {team.project: (number % 6, team) for number, team in enumerate(teams)}
    for (project, day), schedule in ids.items():
        number, team = places[project]
        for row in _day(dice, calendar, number, team, day):
            yield {"duty_schedule_id": schedule, **row}


def _day(
    dice: random.Random, calendar: _Calendar, number: int, team: Team, day: date
) -> Iterator[dict[str, Any]]:
    """Each handler stands once, in a shift that changes by the week, or has the day off."""
    off = {h for at, (h, _dog) in enumerate(team.handlers) if (at + day.toordinal()) % WEEK == 0}
    substitutes = sorted(off)
    week = day.toordinal() // 7
    for at, (handler, dog) in enumerate(team.handlers):
        if handler in off:
            continue
        # Backwards, so that nobody goes from a night into a morning.
        shift = calendar.shifts[(at - week) % len(calendar.shifts)]
        starts_at, ends_at = calendar.span(shift, day)
        seen = _attendance(dice.random(), calendar, (number, at), day, starts_at)
        if seen is Attendance.REPLACED and not substitutes:
            seen = Attendance.PRESENT
        yield {
            "handler_id": handler,
            "dog_id": dog,
            "shift_id": shift.id,
            "place_id": team.places[at % len(team.places)],
            "starts_at": starts_at,
            "ends_at": ends_at,
            "attendance": seen,
            "replacement_id": substitutes.pop() if seen is Attendance.REPLACED else None,
            "note": dice.choice(_NOTES),
        }


def _attendance(
    fate: float, calendar: _Calendar, place: tuple[int, int], day: date, starts_at: datetime
) -> Attendance:
    """Of the duty at that place: the number of its project, and its own within the day."""
    number, age = place[0], (calendar.today - day).days
    if starts_at > calendar.now or _is_unmarked(place, age, fate):
        return Attendance.PLANNED
    if age == 0:
        late = number == ABSENT_TODAY and fate < 0.5
        return Attendance.ABSENT if late else Attendance.PRESENT
    if fate < 0.03:
        return Attendance.ABSENT
    return Attendance.REPLACED if fate < 0.07 else Attendance.PRESENT


def _is_unmarked(place: tuple[int, int], age: int, fate: float) -> bool:
    """Today's in one project, half of yesterday's in another, a few that were locked so."""
    number, at = place
    if age <= 1:
        return number == (UNMARKED_TODAY, UNMARKED_BEFORE)[age] and (age == 0 or fate < 0.5)
    return number == UNMARKED_BEFORE and age == 4 and (at < 2 or fate < 0.4)


def _lock_past(calendar: _Calendar) -> None:
    for back in range(DAYS):
        day = calendar.today - timedelta(days=back)
        at = calendar.locked_at(day)
        if at > calendar.now:
            continue
        db.session.execute(
            update(DutySchedule)
            .where(DutySchedule.date == day)
            .values(state=DayState.LOCKED, locked_at=at, locked_by=AUTO_LOCK, lock_reason="")
            .execution_options(synchronize_session=False)
        )
