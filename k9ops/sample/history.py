"""A month of background work before today: every job ran, mostly with success."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import insert, select

from k9ops.backups.jobs import RUN_BACKUP
from k9ops.core.clock import read_now
from k9ops.core.db import db, new_id
from k9ops.jobs.models import JobAttempt, JobEvent, JobLogLine, JobRun, PeriodicTask
from k9ops.jobs.moves import Happening
from k9ops.jobs.registry import catalogue, get_job
from k9ops.jobs.states import Outcome, Path, Reason, State
from k9ops.jobs.triggers import next_due, trigger_of
from k9ops.monitoring.queries import SAMPLE_OCCURRENCE
from k9ops.reports.queries import MAKE_DOCUMENT
from k9ops.sample.unit import MANAGER

DAYS = 30
#: The manager asks for a document once in so many days.
DOCUMENT_EACH = 3
#: No run of the last days failed, so that a newcomer is not alarmed.
CALM = timedelta(days=2)
#: A database is asked for this many rows at once.
BATCH = 500
#: Why a run failed, by its job.
_FAULTS = {RUN_BACKUP: ("disk_full", "No space left on the device: 12.0 MB free, 148.2 MB needed.")}
_FAULT = ("database_busy", "The database did not answer in time.")


def add_history(dice: random.Random, scale: int) -> int:
    """Runs of every job, oldest first, each with its attempts, events and log."""
    now = read_now(db.session())
    rows = (_Run(asked, now, dice) for asked in _asked(DAYS * scale, now))
    count = 0
    while batch := list(islice(rows, BATCH)):
        _insert(batch)
        count += len(batch)
    return count


@dataclass(frozen=True)
class _Asked:
    """What was asked for, by a task or by a person."""

    at: datetime
    job: str
    task: PeriodicTask | None = None
    arguments: dict[str, Any] = field(default_factory=dict)


def _asked(days: int, now: datetime) -> Iterator[_Asked]:
    """Each task when it was due first on each of the last days, and a document now and then."""
    query = select(PeriodicTask).where(PeriodicTask.job.in_(catalogue()))
    tasks = [(trigger_of(task), task) for task in db.session.scalars(query.order_by("name"))]
    for back in range(days, 0, -1):
        since = now - timedelta(days=back)
        until = since + timedelta(days=1)
        dues = [(next_due(trigger, since), task) for trigger, task in tasks]
        of_day = [_Asked(due, task.job, task) for due, task in dues if due and due <= until]
        if back % DOCUMENT_EACH == 0 and MAKE_DOCUMENT in catalogue():
            of_day.append(_Asked(since, MAKE_DOCUMENT, arguments={"report": "duty_schedule"}))
        yield from sorted(of_day, key=lambda asked: asked.at)


def _insert(batch: list["_Run"]) -> None:
    for model in (JobRun, JobAttempt, JobEvent, JobLogLine):
        values = [row for run in batch for row in run.rows(model)]
        if values:
            db.session.execute(insert(model), values)


class _Run:
    """One run of the past: it succeeded, mostly at the first try; of late they all did."""

    def __init__(self, asked: _Asked, now: datetime, dice: random.Random) -> None:
        self.id = new_id()
        self.asked = asked
        self.job = get_job(asked.job)
        self.queued = asked.at + timedelta(milliseconds=dice.randint(80, 900))
        fate = dice.random()
        self.failed = fate < 0.04 and now - asked.at > CALM
        self.attempts = [*self._attempts(dice, 3 if self.failed else 1 + (fate < 0.1))]

    def _attempts(self, dice: random.Random, count: int) -> Iterator[dict[str, Any]]:
        start = self.queued + timedelta(milliseconds=dice.randint(20, 1200))
        for number in range(1, count + 1):
            good = number == count and not self.failed
            code, message = (None, None) if good else _FAULTS.get(self.asked.job, _FAULT)
            end = start + timedelta(seconds=dice.lognormvariate(2.5, 0.5))
            yield {
                "run_id": self.id,
                "number": number,
                "token": number,
                "path": Path.IN_PROCESS,
                "reason": Reason.CELERY_OFF,
                "executor": f"web:sample:{dice.randint(200, 900)}",
                "queued_at": self.queued,
                "started_at": start,
                "finished_at": end,
                "outcome": Outcome.SUCCEEDED if good else Outcome.FAILED,
                "error_code": code,
                "error_message": message,
                "deadline_at": start + timedelta(seconds=self.job.timeout_seconds),
                "heartbeat": int((end - start).total_seconds()),
                "heartbeat_at": end,
            }
            start = end + timedelta(seconds=self.job.retry.delay_seconds)

    def rows(self, model: type) -> list[dict[str, Any]]:
        """The rows of this run in one table."""
        if model is JobRun:
            return [self._run()]
        if model is JobAttempt:
            return self.attempts
        return [*self._events()] if model is JobEvent else [*self._lines()]

    def _run(self) -> dict[str, Any]:
        job, task, last = self.job, self.asked.task, self.attempts[-1]
        took = last["finished_at"] - last["started_at"]
        return {
            "id": self.id,
            "job": job.name,
            "occurrence": f"{SAMPLE_OCCURRENCE}{self.id}",
            "arguments": self.asked.arguments,
            "task_id": task.id if task else None,
            "task_version": task.version if task else None,
            "queue": job.queue,
            "priority": job.priority,
            "requested_by": self._by,
            "state": State.FAILED if self.failed else State.SUCCEEDED,
            "path": Path.IN_PROCESS,
            "reason": Reason.CELERY_OFF,
            "token": len(self.attempts),
            "attempts_made": len(self.attempts),
            "tries": len(self.attempts),
            "max_tries": job.retry.attempts,
            "due_at": self.asked.at if task else None,
            "queued_at": self.queued,
            "available_at": last["started_at"],
            "started_at": self.attempts[0]["started_at"],
            "finished_at": last["finished_at"],
            "duration_ms": took.total_seconds() * 1000,
            "error_code": last["error_code"],
            "error_message": last["error_message"],
            "result": None if self.failed else {"sample": True},
        }

    @property
    def _by(self) -> str:
        return "schedule" if self.asked.task else MANAGER

    def _events(self) -> Iterator[dict[str, Any]]:
        yield self._event(self.queued, None, State.QUEUED, Happening.RECORDED, 0)
        for attempt in self.attempts:
            number = attempt["number"]
            last = number == len(self.attempts)
            end = State.FAILED if self.failed else State.SUCCEEDED
            after = end if last else State.QUEUED
            word = Happening.FINISHED if last else Happening.RETRY_PLANNED
            started, finished = attempt["started_at"], attempt["finished_at"]
            yield self._event(started, State.QUEUED, State.RUNNING, Happening.CLAIMED, number)
            yield self._event(finished, State.RUNNING, after, word, number)

    def _event(
        self, at: datetime, before: State | None, after: State, word: Happening, number: int
    ) -> dict[str, Any]:
        return {
            "run_id": self.id,
            "at": at,
            "from_state": before,
            "to_state": after,
            "kind": word,
            "attempt": number or None,
            "token": number,
            "actor": self.attempts[number - 1]["executor"] if number else self._by,
        }

    def _lines(self) -> Iterator[dict[str, Any]]:
        for attempt in self.attempts:
            good = attempt["outcome"] == Outcome.SUCCEEDED
            said = "sample run: nothing was really done" if good else attempt["error_message"]
            yield {
                "run_id": self.id,
                "attempt": attempt["number"],
                "at": attempt["finished_at"],
                "level": "INFO" if good else "ERROR",
                "logger": "k9ops.sample",
                "message": said,
            }
