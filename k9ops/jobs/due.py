"""`fire(task)`: the one way an occurrence comes due, whoever ticks and however many do."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, select, update
from sqlalchemy.exc import SQLAlchemyError

from k9ops.core.clock import db_now
from k9ops.core.db import changed, new_id
from k9ops.jobs.carrying import carry
from k9ops.jobs.choosing import Choice, choose
from k9ops.jobs.dispatch import NewRun, record
from k9ops.jobs.misfire import Gap, Plan, plan
from k9ops.jobs.models import PeriodicTask
from k9ops.jobs.moves import Happening, tell_end
from k9ops.jobs.prepared import RunRow, insert_run
from k9ops.jobs.queues import queue_of
from k9ops.jobs.registry import Job, catalogue
from k9ops.jobs.runtime import runtime
from k9ops.jobs.states import Misfire, Overlap, State, Via
from k9ops.jobs.triggers import dues_between, next_due, trigger_of

logger = logging.getLogger(__name__)

SCHEDULE = "schedule"


def due_tasks(engine: Engine) -> list[int]:
    """Ids of the tasks that are due by the database's clock: one indexed SELECT."""
    statement = select(PeriodicTask.id).where(
        PeriodicTask.enabled, PeriodicTask.next_due_at <= db_now()
    )
    with engine.connect() as connection:
        return list(connection.scalars(statement))


def fire(engine: Engine, task_id: int, late_seconds: float) -> int:
    """Record all due occurrences of the task, and move its watermark, in one transaction.

    The number of runs recorded; 0 when nothing is due or another process was first. Safe to
    call at any time from any number of processes.
    """
    with engine.connect() as connection:
        task = connection.execute(
            select(PeriodicTask.__table__, db_now().label("now")).where(
                PeriodicTask.id == task_id, PeriodicTask.enabled
            )
        ).one_or_none()
    if task is None or task.next_due_at is None or task.next_due_at > task.now:
        return 0
    job = catalogue().get(task.job)
    if job is None:
        return 0
    found = _plan(task, late_seconds)
    choice = choose(queue_of(runtime().settings, job), Via.AUTO)
    with engine.begin() as connection:
        if not _is_free(connection, task_id) or not _move_watermark(connection, task, found):
            return 0
        rows = _record(connection, task, job, found, choice)
    carry([row for row in rows if row.state == State.QUEUED], choice)
    return len(rows)


class Firing:
    """`fire` for one ticker: a task whose row makes no sense stops no other, and is told once."""

    def __init__(self, engine: Engine, late_seconds: float) -> None:
        self._engine = engine
        self._late_seconds = late_seconds
        #: Ids of the tasks that could not come due when they were last tried.
        self.senseless: set[int] = set()

    def fire_due(self) -> None:
        """Fire all that is due now."""
        for task_id in due_tasks(self._engine):
            self.fire(task_id)

    def fire(self, task_id: int) -> None:
        with self.sparing_others(task_id):
            fire(self._engine, task_id, self._late_seconds)
            self.senseless.discard(task_id)

    @contextmanager
    def sparing_others(self, task_id: int) -> Iterator[None]:
        """Keep what is wrong with this task from the others; the database's faults pass."""
        try:
            yield
        except SQLAlchemyError:
            raise
        except Exception:
            if task_id not in self.senseless:
                logger.exception("periodic task %s cannot come due", task_id)
            self.senseless.add(task_id)


def _plan(task: Row[Any], late_seconds: float) -> Plan:
    dues = dues_between(trigger_of(task), task.watermark, task.now)
    return plan(dues, task.now, late_seconds, Misfire(task.misfire))


def _is_free(connection: Connection, task_id: int) -> bool:
    """Whether nobody holds the task: a process frozen while it fires stops no other's tick."""
    statement = select(PeriodicTask.id).where(PeriodicTask.id == task_id)
    return connection.scalar(statement.with_for_update(skip_locked=True)) is not None


def _move_watermark(connection: Connection, task: Row[Any], found: Plan) -> bool:
    """Take the occurrences up to now; False if someone else did, or the task was edited."""
    runs = [*found.late, *found.in_time]
    statement = (
        update(PeriodicTask)
        .where(PeriodicTask.id == task.id, PeriodicTask.watermark == task.watermark)
        .where(PeriodicTask.version == task.version, PeriodicTask.enabled)
        .values(
            watermark=task.now,
            next_due_at=next_due(trigger_of(task), task.now),
            total_runs=PeriodicTask.total_runs + len(runs),
            last_due_at=max(runs, default=task.last_due_at),
        )
    )
    return changed(connection.execute(statement))


def _record(
    connection: Connection, task: Row[Any], job: Job[..., Any], found: Plan, choice: Choice
) -> list[RunRow]:
    if found.missed is not None:
        _record_gap(connection, task, job, found.missed)
    runs = [(due, True) for due in found.late] + [(due, False) for due in found.in_time]
    rows = [record(connection, _run(task, job, *run), choice) for run in runs]
    return [row for row in rows if row is not None]


def _run(task: Row[Any], job: Job[..., Any], due: datetime, late: bool) -> NewRun:
    return NewRun(
        job=job,
        occurrence=occurrence_of(task.name, due),
        arguments=task.arguments,
        requested_by=SCHEDULE,
        due_at=due,
        late=late,
        max_tries=job.retry.attempts,
        task_id=task.id,
        task_version=task.version,
        overlap_key=task.id if task.overlap == Overlap.SKIP else None,
    )


def _record_gap(connection: Connection, task: Row[Any], job: Job[..., Any], gap: Gap) -> None:
    """One row for all occurrences of a gap that were not run."""
    result = {
        "count": gap.count,
        "first_due": gap.first_due.isoformat(),
        "last_due": gap.last_due.isoformat(),
    }
    row = insert_run(
        connection, Happening.MISSED, actor=SCHEDULE, detail=result,
        id=new_id(), job=job.name, occurrence=occurrence_of(task.name, gap.first_due),
        task_id=task.id, task_version=task.version, priority=job.priority,
        queue=queue_of(runtime().settings, job),
        arguments=task.arguments, requested_by=SCHEDULE, state=State.MISSED,
        due_at=gap.first_due, queued_at=task.now, available_at=task.now, finished_at=task.now,
        result=result,
    )  # fmt: skip
    if row is not None:
        tell_end(connection, row)


def occurrence_of(task_name: str, due: datetime) -> str:
    """The key of one occurrence: `sched:<task>:<due, UTC>`."""
    return f"sched:{task_name}:{due.isoformat().replace('+00:00', 'Z')}"
