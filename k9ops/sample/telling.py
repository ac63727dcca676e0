"""What the people of the sample unit were told in the last three months."""

import random
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select, true

from k9ops.accounts.models import User
from k9ops.accounts.permissions import Role
from k9ops.core.db import db
from k9ops.core.settings import current_settings
from k9ops.jobs.models import JobRun
from k9ops.jobs.states import State
from k9ops.notifications.models import Notification
from k9ops.people.models import Person
from k9ops.projects.models import Project
from k9ops.sample.unit import MANAGER, insert_rows
from k9ops.schedules.locking import UNMARKED
from k9ops.schedules.models import DutyItem, DutySchedule

NOTIFICATIONS = 20_000
SPREAD = timedelta(days=90)
#: What is younger is partly unread; of the older ones, so many in a thousand.
FRESH, FORGOTTEN = timedelta(hours=10), 2
#: A message is about one of the last things that had happened before it.
_ABOUT = 6
#: So many days and runs are told of.
_EVENTS = 400


@dataclass(frozen=True)
class _Reader:
    """An account, and what can be told to it, oldest first."""

    user: int
    times: list[datetime]
    messages: list[dict[str, Any]]

    def message(self, dice: random.Random, at: datetime) -> dict[str, Any]:
        last = max(bisect(self.times, at), 1)
        first = max(last - _ABOUT, 0)
        # One throw, whatever there is to choose from: the next reader's are the same each time.
        return self.messages[first + int(dice.random() * (last - first))]


def add_notifications(
    dice: random.Random, scale: int, now: datetime, accounts: dict[str, int]
) -> int:
    """`scale` times 20,000 over three months, oldest first, to those who sign in."""
    readers = [_reader(user, _days(_concerns(name, user))) for name, user in accounts.items()]
    everything = [*_failed_runs(), *_days(true())]
    readers += [_reader(user, everything) for user in _administrators()]
    return insert_rows(Notification, _rows(dice, NOTIFICATIONS * scale, now, readers))


def _reader(user: int, events: list[tuple[datetime, dict[str, Any]]]) -> _Reader:
    told = sorted(events, key=lambda event: event[0])
    return _Reader(user, [at for at, _ in told], [message for _, message in told])


def _rows(
    dice: random.Random, count: int, now: datetime, readers: list[_Reader]
) -> Iterator[dict[str, Any]]:
    step = SPREAD / count
    for left in range(count, 0, -1):
        told_at = now - step * (left - dice.random() / 2)
        reader = dice.choice(readers)
        yield {
            "user_id": reader.user,
            "created_at": told_at,
            "read_at": _read_at(dice, told_at, now),
            **reader.message(dice, told_at),
        }


def _read_at(dice: random.Random, told_at: datetime, now: datetime) -> datetime | None:
    fate, after = dice.random(), timedelta(minutes=dice.lognormvariate(4, 1.5))
    if now - told_at < FRESH:
        return told_at + (now - told_at) / 2 if fate < 0.6 else None
    return None if fate < FORGOTTEN / 1000 else min(told_at + after, now)


def _administrators() -> list[int]:
    query = select(User.id).where(User.role == Role.ADMINISTRATOR).order_by(User.id)
    return list(db.session.scalars(query))


def _failed_runs() -> Iterator[tuple[datetime, dict[str, Any]]]:
    columns = JobRun.finished_at, JobRun.id, JobRun.job, JobRun.error_message, JobRun.attempts_made
    query = select(*columns).where(JobRun.state == State.FAILED, JobRun.finished_at.is_not(None))
    found = db.session.execute(query.order_by(JobRun.id.desc()).limit(_EVENTS))
    for at, id_, job, reason, attempts in found:
        params = {"job": job, "reason": reason, "attempt": attempts}
        assert at is not None, "asked for so"
        yield at, {"kind": "run.failed", "url": f"/runs/{id_}", "params": params}


def _concerns(username: str, user: int) -> ColumnElement[bool]:
    """The days that the account's person plans, or stands in."""
    person = select(Person.id).where(Person.user_id == user).scalar_subquery()
    if username == MANAGER:
        return Project.manager_id == person
    stands = select(DutyItem.duty_schedule_id).where(DutyItem.handler_id == person)
    return DutySchedule.id.in_(stands)


def _days(which: ColumnElement[bool]) -> list[tuple[datetime, dict[str, Any]]]:
    columns = DutySchedule.id, DutySchedule.date, Project.name, Project.name_en
    query = select(*columns).join(Project).where(which)
    found = db.session.execute(query.order_by(DutySchedule.date.desc()).limit(_EVENTS))
    return [(_morning_after(day), _locked(id_, day, *names)) for id_, day, *names in found]


def _morning_after(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(7), current_settings().zone)


def _locked(id_: int, day: date, project: str, english: str) -> dict[str, Any]:
    params = {"project": project, "project_en": english, "date": day.isoformat()}
    return {"kind": UNMARKED, "url": f"/schedules/{id_}", "params": params}
