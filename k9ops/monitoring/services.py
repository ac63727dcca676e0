"""What operators ask of the engine: the engine does it, and the audit trail names them."""

from typing import Any

from k9ops.accounts.sessions import current_actor
from k9ops.audit.services import Target, record
from k9ops.core.db import db
from k9ops.core.errors import BadInput, Unavailable
from k9ops.jobs import control, tasks
from k9ops.jobs.broker import fault_of
from k9ops.jobs.deadline import deadline
from k9ops.jobs.dispatch import dispatch_once
from k9ops.jobs.models import JobRun, PeriodicTask
from k9ops.jobs.queues import queue_names
from k9ops.jobs.registry import catalogue
from k9ops.jobs.runtime import runtime
from k9ops.jobs.transport import Transport

#: Purging asks the broker once, and no longer than this.
_PURGE_SECONDS = 2


def start(job: str) -> JobRun:
    """Ask for a run of the job now."""
    return start_once(job)[0]


def start_again(run: JobRun) -> JobRun:
    """Ask for a new run with the same arguments."""
    return start_once(run.job, run.arguments)[0]


def start_once(
    job: str, arguments: dict[str, Any] | None = None, *, key: str | None = None, via: str = "auto"
) -> tuple[JobRun, bool]:
    """Ask for a run; returns it and whether it is new: the same key gives the same run.

    Raises what `k9ops.jobs.dispatch` raises.
    """
    by = current_actor().name
    run, is_new = dispatch_once(job, arguments, key=key, via=via, requested_by=by)
    if is_new:
        _note("run.requested", _run(run), {"via": via, "key": key})
    return run, is_new


def cancel(run_id: str) -> JobRun:
    """Cancel the run, or ask it to stop."""
    run = control.cancel_run(run_id, current_actor().name)
    _note("run.cancelled", _run(run), {"state": run.state})
    return run


def retry(run_id: str) -> JobRun:
    """Give the run one more attempt."""
    run = control.retry_run(run_id, current_actor().name)
    _note("run.retried", _run(run), {"attempts_before": run.attempts_made})
    return run


def pause(name: str) -> PeriodicTask:
    """Stop the task from coming due."""
    return tasks.pause_task(name, current_actor().name)


def resume(name: str) -> PeriodicTask:
    """Let the task come due again, from now on."""
    return tasks.resume_task(name, current_actor().name)


def schedule(
    name: str,
    *,
    cron: str | None = None,
    every: float | None = None,
    seen: int | None = None,
    **policy: str | None,
) -> PeriodicTask:
    """Give a task, or a job that has none, a trigger; `policy`: timezone, misfire, overlap."""
    by = current_actor().name
    return tasks.schedule_task(name, cron=cron, every=every, **policy, by=by, seen=seen)


def check_queue(queue: str) -> Transport:
    """The way to the queue.

    Raises:
        BadInput: Celery is off, or has no such queue.
    """
    transport = runtime().transport
    if transport is None:
        hint = "Set CELERY_BROKER_URL, REDIS_URL or REDIS_HOST; see USE_CELERY."
        raise BadInput("Celery is switched off: it has no queues.", code="celery_off", hint=hint)
    known = queue_names(runtime().settings, catalogue().values())
    if queue not in known:
        hint = f"The queues are {', '.join(known)}."
        raise BadInput(f"There is no queue {queue!r}.", code="no_queue", field="queue", hint=hint)
    return transport


def purge(queue: str) -> int:
    """Remove the queue's messages; how many there were. Runs are rows, and stay.

    Raises:
        BadInput: see `check_queue`.
        Unavailable: the broker did not do it.
    """
    broker = check_queue(queue).broker
    try:
        with deadline(_PURGE_SECONDS):
            count = broker.purge(queue)
    except Exception as error:
        fault = fault_of(error)
        hint = "Try again when the broker answers."
        message = f"The queue could not be purged: {fault.text}"
        raise Unavailable(message, code=fault.reason, hint=hint) from error
    _note("queue.purged", Target("queue", queue, queue), {"messages": count})
    return count


def _note(action: str, target: Target, detail: dict[str, Any] | None = None) -> None:
    record(db.session(), current_actor(), action, target, detail)
    db.session.commit()


def _run(run: JobRun) -> Target:
    return Target("run", run.id, run.job)
