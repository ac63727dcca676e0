"""Runs in a process of their own: started clean (never forked), watched, killed at the hard limit.

The child executes and beats for itself, so the run goes on when its parent dies. The parent
beats only until the child is ready, and kills it at the deadline, after an unheeded cancel, when
the lease is lost, and when the process stops.
"""

import json
import logging
import os
import select as io_select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from sqlalchemy import Engine, select, update
from sqlalchemy.exc import SQLAlchemyError

from k9ops.core.db import changed, db
from k9ops.core.settings import current_settings
from k9ops.jobs.claims import Claim, Ending, end_attempt
from k9ops.jobs.context import RunContext
from k9ops.jobs.errors import LeaseLost
from k9ops.jobs.models import JobAttempt, JobRun
from k9ops.jobs.registry import get_job
from k9ops.jobs.results import tell_celery
from k9ops.jobs.runtime import executor_name, runtime
from k9ops.jobs.states import Outcome, State

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
READY = b"ready\n"
START_SECONDS = 60
#: How long a child may take to heed a cancel before it is killed.
CANCEL_GRACE_SECONDS = 10
_POLL_SECONDS = 0.2
_LOOK_SECONDS = 1.0


def run_in_child(claim: Claim) -> None:
    """Execute the claimed run in a child process; returns when the child is gone."""
    deadline = time.monotonic() + get_job(claim.job).timeout_seconds
    context = RunContext(claim, db.engine, get_job(claim.job).options)
    with runtime().keeper.watching(context):
        try:
            process = _start(claim)
        except OSError as error:
            write_end(claim, _not_started(error))
            return
        _give_order(process, claim)
        _wait_until_ready(process)
    verdict = _watch(process, claim, deadline)
    _kill(process)
    write_end(claim, verdict or _died(process.returncode))


def _start(claim: Claim) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen(
        [sys.executable, "-m", "k9ops.child", claim.run_id],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=environment,
        start_new_session=True,
    )


def _give_order(process: subprocess.Popen[bytes], claim: Claim) -> None:
    """Settings and claim go through standard input: a command line shows no secret."""
    order = {
        "settings": current_settings().model_dump(mode="json"),
        "claim": asdict(claim) | {"started_at": claim.started_at.isoformat()},
    }
    if process.stdin is not None:
        with suppress(BrokenPipeError), process.stdin as pipe:  # broken: it died, which shows
            pipe.write(json.dumps(order).encode())


def take_over(engine: Engine, claim: Claim) -> bool:
    """Called by the child: put its name on the attempt; False if the attempt has ended."""
    statement = (
        update(JobAttempt)
        .where(JobAttempt.run_id == claim.run_id, JobAttempt.number == claim.attempt)
        .where(JobAttempt.outcome.is_(None))
        .values(executor=executor_name("child"), heartbeat=JobAttempt.heartbeat + 1)
    )
    with engine.begin() as connection:
        return changed(connection.execute(statement))


def _wait_until_ready(process: subprocess.Popen[bytes]) -> None:
    """Wait for the child's word that it beats for itself now, or for its end."""
    if process.stdout is not None:
        io_select.select([process.stdout], [], [], START_SECONDS)


def _watch(process: subprocess.Popen[bytes], claim: Claim, deadline: float) -> Ending | None:
    """Wait for the child; how it is to end if it must be killed, None if it ended by itself."""
    cancelled_at: float | None = None
    looked_at = time.monotonic()
    while process.poll() is None:
        time.sleep(_POLL_SECONDS)
        now = time.monotonic()
        if runtime().stopping:
            text = "The process that hosted the run stopped."
            return Ending(Outcome.INTERRUPTED, code="interrupted", message=text)
        if now >= deadline:
            return hard_limit(claim.job)
        if now - looked_at < _LOOK_SECONDS:
            continue
        looked_at = now
        ours, cancel_requested = _look(claim)
        if not ours:
            return Ending(Outcome.LOST, code="lost")
        cancelled_at = (cancelled_at or now) if cancel_requested else None
        if cancelled_at is not None and now - cancelled_at >= CANCEL_GRACE_SECONDS:
            text = "Cancelled; its process was ended."
            return Ending(Outcome.CANCELLED, code="cancelled", message=text)
    return None


def _look(claim: Claim) -> tuple[bool, bool]:
    """Whether the run is still this claim's, and whether it is to be cancelled."""
    statement = select(JobRun.token, JobRun.state, JobRun.cancel_requested).where(
        JobRun.id == claim.run_id
    )
    try:
        with db.engine.connect() as connection:
            run = connection.execute(statement).one_or_none()
    except SQLAlchemyError:  # the database is away: the child knows better than we do
        return True, False
    if run is None:
        return False, False
    return run.token == claim.token and run.state == State.RUNNING, run.cancel_requested


def hard_limit(job_name: str) -> Ending:
    """The ending of an attempt that did not heed its limits."""
    seconds = get_job(job_name).timeout_seconds
    text = f"The hard time limit of {seconds:g} s passed."
    return Ending(Outcome.TIMED_OUT, code="timed_out", message=text)


def _not_started(error: OSError) -> Ending:
    text = f"No process could be started for it: {error}"
    return Ending(Outcome.FAILED, code="no_process", message=text)


def _died(returncode: int) -> Ending:
    """The ending when the child went without writing one."""
    how = f"exit code {returncode}"
    if returncode < 0:
        how = f"signal {-returncode} ({signal.Signals(-returncode).name})"
    return Ending(Outcome.LOST, code="process_died", message=f"Its process ended by {how}.")


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the child with all it started (a dump program, say)."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        logger.debug("process group %s has gone already", process.pid)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def write_end(claim: Claim, ending: Ending) -> None:
    """Write the end that the executor could not; nothing if it did."""
    try:
        with db.engine.begin() as connection:
            run = end_attempt(connection, claim, ending)
    except LeaseLost:
        logger.debug("run %s has ended already", claim.run_id)
    else:
        tell_celery(run)
