"""Carrying: hand a recorded run to Celery, or to the executors of the application.

Its row is committed before and decides after: a message is a hint, a wake-up is a hint.
"""

import logging
import time
from collections.abc import Iterable, Sequence
from typing import Any

from flask import Flask, current_app
from sqlalchemy import Connection, Row, exists, select, update

from k9ops.core.clock import db_now, read_now
from k9ops.core.db import db
from k9ops.jobs.broker import BrokerFault
from k9ops.jobs.choosing import Choice, choose, only_celery, spent_ms
from k9ops.jobs.context import fenced_begin
from k9ops.jobs.models import JobAttempt, JobRun
from k9ops.jobs.moves import Happening, write_event
from k9ops.jobs.runner import execute
from k9ops.jobs.runtime import executor_name, runtime
from k9ops.jobs.states import Outcome, Path, Reason, State, Via
from k9ops.jobs.transport import DECISION_SECONDS

logger = logging.getLogger(__name__)

#: Of a run that goes on waiting, what its event needs.
EVENT_COLUMNS = (JobRun.id, JobRun.token, JobRun.attempts_made)


def carry(runs: Sequence[Any], choice: Choice) -> bool:
    """Hand the runs on, whose rows have this path; whether the rows are still as they were.

    What Celery does not take falls back here, or waits where only Celery may have it.
    """
    if choice.path is Path.CELERY:
        return _send_all(runs, choice)
    if runtime().settings.celery_task_always_eager and choice.reason is Reason.REQUESTED:
        for run in runs:
            _execute_now(run.id)
        return False
    runtime().wake()
    return True


def _execute_now(run_id: str) -> None:
    """Execute the run in this thread, apart from the caller's session."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    with app.app_context():
        execute(run_id, executor_name("cli"))


def place(run_ids: Iterable[str]) -> int:
    """Choose the path of waiting runs that have none for their coming attempt; how many."""
    return sum(_place(run_id) for run_id in run_ids)


def _place(run_id: str) -> bool:
    run = _unplaced(run_id)
    if run is None:
        return False
    choice = choose(run.queue, Via(run.via), lost=run.lost)
    with fenced_begin(db.engine) as connection:
        placed = _set_path(connection, run_id, choice)
    if placed is None:
        return False
    carry([placed], choice)
    return True


def _unplaced(run_id: str) -> Row[Any] | None:
    """Its queue and way, and whether its last attempt was lost on Celery."""
    lost = exists().where(
        JobAttempt.run_id == JobRun.id,
        JobAttempt.number == JobRun.attempts_made,
        JobAttempt.path == Path.CELERY,
        JobAttempt.outcome == Outcome.LOST,
    )
    statement: Any = select(JobRun.queue, JobRun.via, lost.label("lost")).where(
        JobRun.id == run_id, JobRun.state == State.QUEUED, JobRun.placed.is_(False)
    )
    with db.engine.connect() as connection:
        row: Row[Any] | None = connection.execute(statement).one_or_none()
        return row


def _set_path(connection: Connection, run_id: str, choice: Choice) -> Row[Any] | None:
    values: dict[str, Any] = {
        "path": choice.path,
        "reason": choice.reason,
        "decision_ms": choice.decision_ms,
        "placed": True,
        "republished": 0,
    }
    if choice.path is Path.CELERY:
        # A worker has its full time for it, however late it was placed.
        values["available_at"] = db_now()
    statement = (
        update(JobRun)
        .where(JobRun.id == run_id, JobRun.state == State.QUEUED, JobRun.placed.is_(False))
        .values(values)
        .returning(JobRun.__table__)
    )
    return connection.execute(statement).one_or_none()


def _send_all(runs: Sequence[Any], choice: Choice) -> bool:
    ends_at = choice.began + DECISION_SECONDS
    for number, run in enumerate(runs):
        try:
            send(run, ends_at if number == 0 else None)
        except BrokerFault as fault:
            return not _fall_back_all(runs[number:], fault, choice)
    return True


def send(run: Any, ends_at: float | None = None) -> None:
    """Send the run's message; where Celery is off it waits until it is on.

    Raises:
        BrokerFault: see `Transport.send`.
    """
    from k9ops.jobs.celery_app import Message

    transport = runtime().transport
    if transport is None:
        return
    task_id = run.celery_task_id or run.id
    message = Message(run.id, run.job, run.queue, run.priority, task_id)
    transport.send(message, ends_at or time.monotonic() + DECISION_SECONDS)


def _fall_back_all(runs: Sequence[Any], fault: BrokerFault, choice: Choice) -> bool:
    """Move what may run here; the rest waits and is sent when the broker is well."""
    here = [run.id for run in runs if not only_celery(run.via)]
    if not here:
        logger.warning("%s runs wait for Celery: %s", len(runs), fault.text)
        return False
    with fenced_begin(db.engine) as connection:
        fall_back(connection, here, fault.reason, spent_ms(choice.began))
    runtime().wake()
    return True


def fall_back(
    connection: Connection, run_ids: Sequence[str], reason: Reason, decision_ms: float | None = None
) -> int:
    """Let runs that wait for Celery run here instead; how many still waited."""
    values: dict[str, Any] = {"path": Path.IN_PROCESS, "reason": reason}
    if decision_ms is not None:
        values["decision_ms"] = decision_ms
    statement: Any = (
        update(JobRun)
        .where(JobRun.id.in_(run_ids), JobRun.state == State.QUEUED, JobRun.path == Path.CELERY)
        .where(JobRun.placed)
        .values(values)
        .returning(*EVENT_COLUMNS)
    )
    moved: Sequence[Row[Any]] = connection.execute(statement).all()
    write_waiting_events(connection, moved, Happening.FELL_BACK, {"reason": reason})
    return len(moved)


def write_waiting_events(
    connection: Connection, runs: Sequence[Row[Any]], happening: Happening, detail: dict[str, Any]
) -> None:
    """Note what happened to runs that go on waiting."""
    if not runs:
        return
    now = read_now(connection)
    for run in runs:
        write_event(
            connection, run.id, State.QUEUED, State.QUEUED, happening,
            at=now, token=run.token, attempt=run.attempts_made or None,
            actor=None, detail=detail,
        )  # fmt: skip
