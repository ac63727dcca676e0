"""The keeper: one thread per process that beats for its runs.

It also writes their progress and log lines, and tells a run that it is to stop. It holds one
database connection at a time.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update

from k9ops.core.clock import db_now
from k9ops.core.db import changed
from k9ops.jobs.context import LogLine, RunContext
from k9ops.jobs.models import JobAttempt, JobLogLine, JobRun
from k9ops.jobs.states import State

logger = logging.getLogger(__name__)


class Keeper:
    """Keeps the attempts of this process alive."""

    def __init__(self, engine: Engine, lease_seconds: float) -> None:
        self._engine = engine
        self._pause = min(1.0, lease_seconds / 5)
        #: By identity: an attempt that hangs may meet the next one of its run here.
        self._contexts: set[RunContext] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def watching(self, context: RunContext) -> Iterator[None]:
        """Beat for the run until the block ends."""
        with self._lock:
            self._contexts.add(context)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._contexts.discard(context)

    def contexts(self) -> list[RunContext]:
        """The runs that this process executes now."""
        with self._lock:
            return list(self._contexts)

    def _run(self) -> None:
        wait = threading.Event()
        while not wait.wait(self._pause):
            with self._lock:
                if not self._contexts:
                    self._thread = None
                    return
            for context in self.contexts():
                with context.writing:
                    self._keep(context)

    def _keep(self, context: RunContext) -> None:
        """One beat. A database that cannot be reached is asked again at the next."""
        lines = context.take_lines()
        try:
            with self._engine.begin() as connection:
                alive = beat(connection, context, lines)
                if alive and _cancel_requested(connection, context):
                    context.stop("cancelled")
        except Exception as error:  # noqa: BLE001  (the other runs need this thread)
            context.give_back(lines)
            logger.warning("no heartbeat for run %s: %s", context.id, error)
            return
        if not alive:  # lost, or it has just ended here, and then its lines are still written
            context.give_back(lines)
            context.stop("lost")


def beat(connection: Connection, context: RunContext, lines: list[LogLine]) -> bool:
    """Raise the heartbeat and write what is new; False, and nothing written, if the attempt ended.

    The UPDATE locks the attempt's row: no line comes after another process ended the attempt.
    """
    statement = (
        update(JobAttempt)
        .where(JobAttempt.run_id == context.id, JobAttempt.number == context.attempt)
        .where(JobAttempt.outcome.is_(None))
        .values(
            heartbeat=JobAttempt.heartbeat + 1,
            heartbeat_at=db_now(),
            **context.progress_values,
        )
    )
    if not changed(connection.execute(statement)):
        return False
    write_lines(connection, context, lines)
    return True


def write_lines(connection: Connection, context: RunContext, lines: list[LogLine]) -> None:
    """Write captured lines; the caller holds the attempt's row."""
    rows: list[dict[str, Any]] = [
        {
            "run_id": context.id,
            "attempt": context.attempt,
            "at": line.at,
            "level": line.level,
            "logger": line.logger,
            "message": line.message,
        }
        for line in lines
    ]
    if rows:
        connection.execute(insert(JobLogLine), rows)


def _cancel_requested(connection: Connection, context: RunContext) -> bool:
    statement = select(JobRun.cancel_requested).where(
        JobRun.id == context.id, JobRun.token == context.token, JobRun.state == State.RUNNING
    )
    return bool(connection.execute(statement).scalar_one_or_none())
