"""The run as its job sees it: progress, log, stop flag, effects; the fence round its commits."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal

from sqlalchemy import Connection, Engine, event, select, update
from sqlalchemy.orm import Session

from k9ops.core.clock import db_now, utcnow
from k9ops.core.db import db, holds_writes, insert_new
from k9ops.core.text import clean, clean_json
from k9ops.jobs.claims import Claim, fence
from k9ops.jobs.errors import OpenTransaction, PermanentError, Stopped, Why
from k9ops.jobs.models import JobEffect
from k9ops.jobs.registry import Options

logger = logging.getLogger("k9ops.run")

#: More lines than this are counted, not kept.
LINES_AT_MOST = 10_000
_WORST_FIRST: tuple[Why, ...] = ("lost", "cancelled", "soft_limit")
_current: ContextVar["RunContext | None"] = ContextVar("k9ops_run", default=None)


def _finite(number: float) -> float | None:
    """Neither every database nor JSON can write the others."""
    return float(number) if math.isfinite(number) else None


@dataclass(frozen=True)
class LogLine:
    """One captured line, not yet in the database."""

    at: datetime
    level: str
    logger: str
    message: str


@dataclass
class Effect:
    """An effect outside the database, between its reservation and its receipt.

    `state`: `new`, `done` (`receipt` proves it), or `unknown`: an earlier attempt reserved it and
    left no receipt, or the one that it kept in mid-work, so look whether it happened before doing
    it.
    """

    state: Literal["new", "unknown", "done"]
    receipt: Any = None
    store: Callable[[Any], None] = lambda _receipt: None

    def keep(self, receipt: Any) -> None:
        """Store how far the effect is, for a later attempt; a transaction of its own.

        Raises:
            LeaseLost: another attempt owns the run by now.
        """
        self.receipt = receipt
        self.store(receipt)


class RunContext:
    """What `current_run()` returns inside a job."""

    def __init__(self, claim: Claim, engine: Engine, options: Options) -> None:
        self.claim = claim
        self.id = claim.run_id
        self.attempt = claim.attempt
        self.token = claim.token
        self.engine = engine
        self.atomic = options.atomic
        #: The end stands in the open transaction (atomic jobs): nothing more to fence.
        self.ended = False
        self.progress_values: dict[str, Any] = {}
        #: Held by whoever takes lines, until these are written or given back.
        self.writing = threading.Lock()
        self._soft_deadline = time.monotonic() + options.soft_timeout_seconds
        self._stops: set[Why] = set()
        self._lines: list[LogLine] = []
        self._line_count = 0
        self._lock = threading.Lock()

    def check(self) -> None:
        """Raise `Stopped` if the run is to stop; call it between two steps."""
        if time.monotonic() >= self._soft_deadline:
            self._stops.add("soft_limit")
        for why in _WORST_FIRST:
            if why in self._stops:
                raise Stopped(why)

    def progress(self, done: float, total: float | None = None, text: str = "") -> None:
        """Tell how far the run is; shown within a second. Also a `check()`."""
        self.check()
        self.progress_values = {
            "progress_done": _finite(done),
            "progress_total": None if total is None else _finite(total),
            "progress_text": clean(text, 500) or None,
        }

    def log(self, text: str) -> None:
        """Add a line to the run's log."""
        logger.info("%s", text)

    @contextmanager
    def effect(self, key: str) -> Iterator[Effect]:
        """Reserve an outside effect, unique per run and key, and receipt it when the block ends.

        Each is a transaction of its own. A block that raises leaves the effect `unknown`.

        Raises:
            OpenTransaction: the session holds writes; commit them before the effect.
            Stopped: the run is to stop.
        """
        self.check()
        if holds_writes(db.session()):
            hint = "Commit before the effect: nothing is open while bytes cross a network."
            raise OpenTransaction(f"effect {key!r} inside an open transaction", hint=hint)
        effect = self._reserve(key)
        effect.store = partial(self._store, key)
        yield effect
        if effect.state != "done":
            self._store(key, {} if effect.receipt is None else effect.receipt, done_at=db_now())

    def _reserve(self, key: str) -> Effect:
        with fenced_begin(self.engine) as connection:
            new = insert_new(
                connection, JobEffect,
                run_id=self.id, key=key, token=self.token, reserved_at=db_now(),
            )  # fmt: skip
            if new:
                return Effect("new")
            statement = select(JobEffect.receipt, JobEffect.done_at).where(
                JobEffect.run_id == self.id, JobEffect.key == key
            )
            found = connection.execute(statement).one()
            return Effect("unknown" if found.done_at is None else "done", found.receipt)

    def _store(self, key: str, receipt: Any, **values: Any) -> None:
        with fenced_begin(self.engine) as connection:
            connection.execute(
                update(JobEffect)
                .where(JobEffect.run_id == self.id, JobEffect.key == key)
                .values(receipt=clean_json(receipt), token=self.token, **values)
            )

    def stop(self, why: Why) -> None:
        """Make the next `check()` raise; called by whoever watches the run."""
        self._stops.add(why)

    def add_line(self, level: str, name: str, message: str) -> None:
        """Keep a line for the run's log, until `LINES_AT_MOST`."""
        with self._lock:
            self._line_count += 1
            if self._line_count == LINES_AT_MOST:
                level, message = "WARNING", f"Only the first {LINES_AT_MOST} lines are kept."
            if self._line_count <= LINES_AT_MOST:
                where = clean(level)[:16], clean(name)[:200]
                self._lines.append(LogLine(utcnow(), *where, clean(message, 8000)))

    def take_lines(self) -> list[LogLine]:
        """The lines since the last call."""
        with self._lock:
            lines, self._lines = self._lines, []
        return lines

    def give_back(self, lines: list[LogLine]) -> None:
        """Return lines that could not be written."""
        with self._lock:
            self._lines = lines + self._lines

    @contextmanager
    def active(self) -> Iterator[None]:
        """Make this the current run of the thread."""
        mark = _current.set(self)
        try:
            yield
        finally:
            _current.reset(mark)


@dataclass
class DirectCall:
    """What `current_run()` returns when a job's function is called outside any run."""

    id: str = ""
    attempt: int = 0
    token: int = 0

    def check(self) -> None:
        """Nothing stops a direct call."""

    def progress(self, done: float, total: float | None = None, text: str = "") -> None:
        """Nobody watches a direct call."""

    def log(self, text: str) -> None:
        logger.info("%s", text)

    @contextmanager
    def effect(self, key: str) -> Iterator[Effect]:
        """Every effect of a direct call is new."""
        yield Effect("new")


def current_run() -> RunContext | DirectCall:
    """The run this code executes for; outside any run an object that does nothing."""
    return _current.get() or DirectCall()


def active_context() -> RunContext | None:
    """The run this code executes for, or None."""
    return _current.get()


@contextmanager
def fenced_begin(engine: Engine) -> Iterator[Connection]:
    """A transaction of its own that commits only while the current run, if any, is ours."""
    with engine.begin() as connection:
        yield connection
        context = active_context()
        if context is not None:
            fence(connection, context.id, context.token)


@event.listens_for(Session, "before_commit")
def _fence_session(session: Session) -> None:
    context = active_context()
    if context is None or context.ended:
        return
    if context.atomic:
        raise PermanentError("An atomic job does not commit: its end does.", "commit_in_atomic")
    session.flush()
    fence(session, context.id, context.token)
