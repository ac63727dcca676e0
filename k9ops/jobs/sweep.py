"""The sweep: finds attempts whose executor has gone, and hung ones, and gives their runs on.

A lease is watched, not read off a clock: only a sweep that itself saw the heartbeat stand still
for the whole lease, by its own monotonic clock and with the database answering, calls an attempt
lost. Clock jumps, outages and restores therefore never do.
"""

import logging
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, exists, select

from k9ops.core.clock import db_now
from k9ops.jobs.claims import Claim, Ending, end_attempt
from k9ops.jobs.errors import LeaseLost
from k9ops.jobs.isolation import hard_limit
from k9ops.jobs.models import JobAttempt, JobRun
from k9ops.jobs.registry import catalogue
from k9ops.jobs.results import tell_celery
from k9ops.jobs.states import Outcome, State

logger = logging.getLogger(__name__)


@dataclass
class _Watch:
    """One attempt as this sweep has seen it."""

    heartbeat: int
    stood_seconds: float = 0


class Sweep:
    """One process's watch over all running attempts (or over one run's)."""

    def __init__(
        self, engine: Engine, lease_seconds: float, tick_seconds: float, only_run: str | None = None
    ) -> None:
        self._engine = engine
        self._lease = lease_seconds
        # A pause longer than this was ours, not the executor's: it does not count in full.
        self._longest_step = 3 * tick_seconds
        self._only_run = only_run
        self._watched: dict[tuple[str, int], _Watch] = {}
        self._last: float | None = None

    def __call__(self, actor: str) -> int:
        """Look once; the number of attempts that were ended."""
        step = self._step()
        rows = self._open_attempts()
        seen = {(row.run_id, row.number) for row in rows}
        self._watched = {key: watch for key, watch in self._watched.items() if key in seen}
        return sum(self._look(row, step, actor) for row in rows)

    def _step(self) -> float:
        """Seconds since the last look that count as watched."""
        now = time.monotonic()
        step = 0.0 if self._last is None else min(now - self._last, self._longest_step)
        self._last = now
        return step

    def _open_attempts(self) -> list[Row[Any]]:
        known = JobRun.job.in_(catalogue())
        overdue = ((JobAttempt.deadline_at < db_now()) & known).label("overdue")
        statement = (
            select(JobAttempt, JobRun.job, overdue)
            .join(JobRun, JobRun.id == JobAttempt.run_id)
            .where(JobAttempt.outcome.is_(None), JobRun.state == State.RUNNING)
            .where(JobRun.token == JobAttempt.token)
        )
        if self._only_run is not None:
            statement = statement.where(JobRun.id == self._only_run)
        columns = [*JobAttempt.__table__.columns, JobRun.job, overdue]
        with self._engine.connect() as connection:
            return list(connection.execute(statement.with_only_columns(*columns)))

    def _look(self, row: Row[Any], step: float, actor: str) -> int:
        if row.overdue:
            return self._end(row, hard_limit(row.job), actor)
        watch = self._watched.get((row.run_id, row.number))
        if watch is None or watch.heartbeat != row.heartbeat:
            self._watched[row.run_id, row.number] = _Watch(row.heartbeat)
            return 0
        watch.stood_seconds += step
        if watch.stood_seconds < self._lease:
            return 0
        text = f"No heartbeat for {watch.stood_seconds:.0f} s."
        return self._end(row, Ending(Outcome.LOST, code="lost", message=text), actor)

    def _end(self, row: Row[Any], ending: Ending, actor: str) -> int:
        """End the attempt unless it beat or ended since it was read."""
        gone = Claim(row.run_id, row.job, row.token, row.number, {}, row.executor, row.started_at)
        still = exists().where(
            JobAttempt.run_id == row.run_id,
            JobAttempt.number == row.number,
            JobAttempt.heartbeat == row.heartbeat,
        )
        where = () if row.overdue else (still,)
        try:
            with self._engine.begin() as connection:
                if not _is_free(connection, row.id):
                    return 0
                run = end_attempt(connection, gone, ending, actor=actor, where=where)
        except LeaseLost:
            return 0
        tell_celery(run)
        logger.warning("run %s attempt %s: %s", row.run_id, row.number, ending.outcome)
        self._watched.pop((row.run_id, row.number), None)
        return 1


def _is_free(connection: Connection, attempt_id: int) -> bool:
    """Whether nobody holds the attempt or its run: one frozen in mid-transaction stops no sweep."""
    statement = select(JobAttempt.id).join(JobRun).where(JobAttempt.id == attempt_id)
    return connection.scalar(statement.with_for_update(skip_locked=True)) is not None
