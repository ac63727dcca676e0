"""What the people of the sample unit were told in the last three months."""

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from k9ops.accounts.models import User
from k9ops.accounts.permissions import Role
from k9ops.core.db import db
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
#: Notifications lead to one of so many runs or days.
_LED_TO = 200

Told = Callable[[], dict[str, Any]]


def add_notifications(
    dice: random.Random, scale: int, now: datetime, accounts: dict[str, int]
) -> int:
    """`scale` times 20,000 over three months, oldest first, to those who sign in."""
    days = _days_of(accounts)
    tellers: list[tuple[int, Told]] = [
        (user, _teller(dice, found)) for user, found in days.items() if found
    ]
    failed = _failed_runs()
    if failed:
        tellers += [(user, _teller(dice, failed)) for user in _administrators()]
    return insert_rows(Notification, _rows(dice, NOTIFICATIONS * scale, now, tellers))


def _rows(
    dice: random.Random, count: int, now: datetime, tellers: list[tuple[int, Told]]
) -> Iterator[dict[str, Any]]:
    step = SPREAD / count
    for left in range(count, 0, -1):
        told_at = now - step * (left - dice.random() / 2)
        user, tell = dice.choice(tellers)
        yield {
            "user_id": user,
            "created_at": told_at,
            "read_at": _read_at(dice, told_at, now),
            **tell(),
        }


def _read_at(dice: random.Random, told_at: datetime, now: datetime) -> datetime | None:
    fate = dice.random()
    if now - told_at < FRESH:
        return told_at + (now - told_at) / 2 if fate < 0.6 else None
    after = timedelta(minutes=dice.lognormvariate(4, 1.5))
    return None if fate < FORGOTTEN / 1000 else min(told_at + after, now)


def _teller(dice: random.Random, told: list[dict[str, Any]]) -> Told:
    return lambda: dice.choice(told)


def _administrators() -> list[int]:
    query = select(User.id).where(User.role == Role.ADMINISTRATOR).order_by(User.id)
    return list(db.session.scalars(query))


def _failed_runs() -> list[dict[str, Any]]:
    columns = (JobRun.id, JobRun.job, JobRun.error_message, JobRun.attempts_made)
    query = select(*columns).where(JobRun.state == State.FAILED).order_by(JobRun.id.desc())
    return [
        {
            "kind": "run.failed",
            "url": f"/runs/{id_}",
            "params": {"job": job, "reason": reason, "attempt": attempts},
        }
        for id_, job, reason, attempts in db.session.execute(query.limit(_LED_TO))
    ]


def _days_of(accounts: dict[str, int]) -> dict[int, list[dict[str, Any]]]:
    """By account, the days of duty of which they are told: those they plan, or stand in."""
    found = {}
    for username, user in accounts.items():
        person = select(Person.id).where(Person.user_id == user).scalar_subquery()
        query = select(DutySchedule.id, DutySchedule.date, Project.name).join(Project)
        if username == MANAGER:
            query = query.where(Project.manager_id == person)
        else:
            stands = select(DutyItem.duty_schedule_id).where(DutyItem.handler_id == person)
            query = query.where(DutySchedule.id.in_(stands))
        days = db.session.execute(query.order_by(DutySchedule.date.desc()).limit(_LED_TO))
        found[user] = [_of_day(*day) for day in days]
    return found


def _of_day(id_: int, day: Any, project: str) -> dict[str, Any]:
    params = {"project": project, "date": day.isoformat()}
    return {"kind": UNMARKED, "url": f"/schedules/{id_}", "params": params}
