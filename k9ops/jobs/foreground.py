"""A command line as executor: it runs what it dispatched in the foreground, and waits."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from k9ops.core.db import db
from k9ops.jobs.claims import Claim, Ending
from k9ops.jobs.isolation import write_end
from k9ops.jobs.models import JobRun
from k9ops.jobs.queries import get_run
from k9ops.jobs.runner import take, work
from k9ops.jobs.runtime import executor_name, runtime
from k9ops.jobs.states import END_STATES, Outcome, Path, State
from k9ops.jobs.sweep import Sweep
from k9ops.jobs.waiting import watch_waiting

_POLL_SECONDS = 0.2
#: How long a thread may take to end once its run has.
_HEED_SECONDS = 3


def run_here(run_id: str, kind: str = "cli", timeout: float | None = None) -> JobRun:
    """Wait for the run's end, or `timeout` seconds, and execute it here if it falls back.

    Another executor may win it; then this only waits. A lost attempt is taken up again, and a
    run that no worker takes falls back here. Ctrl-C cancels what is executed here. The run as it
    is then.
    """
    executor = executor_name(kind)
    sweep, claim, thread = _sweep(run_id), None, None
    ends_at = None if timeout is None else time.monotonic() + timeout
    try:
        while True:
            try:
                if (run := get_run(run_id)).state in END_STATES:
                    return run
                if thread is None and ends_at is not None and time.monotonic() >= ends_at:
                    return run
                if _waits_here(run):
                    with _interrupted_after():
                        claim = take(run_id, executor)
                    thread = _start(claim) if claim else thread
                sweep(executor)
                watch_waiting(db.engine, run_id)
            except SQLAlchemyError:
                if thread is None:  # else its work goes on while the database is away
                    raise
            thread = _pause(thread)
    except KeyboardInterrupt:
        if claim is not None:
            write_end(claim, _cancelled())
        raise
    finally:
        if thread is not None:
            thread.join(_HEED_SECONDS)


def _sweep(run_id: str) -> Sweep:
    settings = runtime().settings
    return Sweep(db.engine, settings.jobs_lease_seconds, settings.jobs_tick_seconds, run_id)


def _waits_here(run: JobRun) -> bool:
    return run.state == State.QUEUED and run.placed and run.path == Path.IN_PROCESS


@contextmanager
def _interrupted_after() -> Iterator[None]:
    """A Ctrl-C takes effect after the block: a claim nobody holds yet could not be cancelled."""
    if threading.current_thread() is not threading.main_thread():
        yield  # it is the main thread that a Ctrl-C interrupts
        return
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if pressed:
            raise KeyboardInterrupt


def _start(claim: Claim) -> threading.Thread:
    """Work in a thread that does not hold the process: one that hangs is left behind."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    thread = threading.Thread(target=_work, args=(app, claim), name="run", daemon=True)
    thread.start()
    return thread


def _work(app: Flask, claim: Claim) -> None:
    with app.app_context():
        work(claim)


def _pause(thread: threading.Thread | None) -> threading.Thread | None:
    """Wait a little; no longer than the thread works, which is forgotten when it has ended."""
    if thread is None:
        time.sleep(_POLL_SECONDS)
        return None
    thread.join(_POLL_SECONDS)
    return thread if thread.is_alive() else None


def _cancelled() -> Ending:
    return Ending(Outcome.CANCELLED, code="cancelled", message="Cancelled at the terminal.")
