"""How a run ended, told to Celery's result backend for whoever holds an `AsyncResult`."""

from typing import Any

from sqlalchemy import Row

from k9ops.jobs.runtime import runtime
from k9ops.jobs.states import State

_STATES = {
    State.SUCCEEDED: "SUCCESS",
    State.PARTIAL: "SUCCESS",
    State.FAILED: "FAILURE",
    State.CANCELLED: "REVOKED",
}


class JobFailed(Exception):
    """A run did not succeed; its row says why."""


def tell_celery(run: Row[Any] | None) -> None:
    """Write the end of a run that Celery carried, best effort; after its commit."""
    transport = runtime().transport
    if transport is None or run is None or run.state not in _STATES:
        return
    if run.path == "celery" or run.celery_task_id:
        result = run.result if _STATES[run.state] == "SUCCESS" else failure_of(run)
        transport.tell_end(run.celery_task_id or run.id, _STATES[run.state], result)


def failure_of(run: Any) -> JobFailed:
    """The exception that stands for a run's end."""
    return JobFailed(run.error_message or run.error_code or str(run.state))
