"""A command line as executor: it runs what it dispatched in the foreground, and waits."""

import time

from k9ops.core.db import db
from k9ops.jobs.models import JobRun
from k9ops.jobs.queries import get_run
from k9ops.jobs.runner import execute
from k9ops.jobs.runtime import executor_name, runtime
from k9ops.jobs.states import END_STATES, Path, State
from k9ops.jobs.sweep import Sweep

_POLL_SECONDS = 0.2


def run_here(run_id: str, kind: str = "cli") -> JobRun:
    """Execute the run in this process if it fell back here, and wait for its end.

    Another executor may win it; then this only waits. A lost attempt is taken up again.
    """
    return _follow(run_id, executor_name(kind), timeout=None, executes=True)


def wait_for_end(run_id: str, timeout: float | None = None) -> JobRun:
    """Wait until the run has ended, or for `timeout` seconds; the run as it is then."""
    return _follow(run_id, executor_name("cli"), timeout=timeout, executes=False)


def _follow(run_id: str, executor: str, timeout: float | None, *, executes: bool) -> JobRun:
    settings = runtime().settings
    sweep = Sweep(db.engine, settings.jobs_lease_seconds, settings.jobs_tick_seconds, run_id)
    ends_at = None if timeout is None else time.monotonic() + timeout
    while True:
        run = get_run(run_id)
        if run.state in END_STATES or (ends_at is not None and time.monotonic() >= ends_at):
            return run
        if executes and _waits_here(run) and execute(run_id, executor):
            continue
        sweep(executor)
        time.sleep(_POLL_SECONDS)


def _waits_here(run: JobRun) -> bool:
    return run.state == State.QUEUED and run.path == Path.IN_PROCESS
