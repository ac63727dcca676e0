"""What a person may do to a run: cancel it, retry it."""

from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from k9ops.core.clock import db_now
from k9ops.core.db import db
from k9ops.core.errors import Conflict
from k9ops.jobs.carrying import place
from k9ops.jobs.models import JobAttempt, JobRun
from k9ops.jobs.moves import Happening, move, write_event
from k9ops.jobs.queries import get_run, known_id, no_run
from k9ops.jobs.states import ACTIVE, RETRYABLE, State


def cancel_run(run_id: str, by: str) -> JobRun:
    """Cancel a waiting run at once; ask a running one to stop at its next `check()`.

    Safe to repeat while the run is active.

    Raises:
        NotFound: there is no such run.
        Conflict: it has ended already.
    """
    run_id = known_id(run_id)
    with db.engine.begin() as connection:
        state = _hold(connection, run_id)
        if state == State.QUEUED:
            _cancel_queued(connection, run_id, by)
        elif state == State.RUNNING:
            _ask_to_stop(connection, run_id, by)
        else:
            hint = "Nothing is left to cancel."
            raise Conflict(f"The run has ended already: {state}.", code="run_ended", hint=hint)
    return get_run(run_id)


def retry_run(run_id: str, by: str) -> JobRun:
    """Give a failed, partial or cancelled run one more attempt.

    Raises:
        NotFound: there is no such run.
        Conflict: it is not at such an end, or a run of its task is active (overlap).
    """
    run_id = known_id(run_id)
    with db.engine.begin() as connection:
        state = _hold(connection, run_id)
        if state not in RETRYABLE:
            hint = "Only failed, partial and cancelled runs are retried; start a new one instead."
            raise Conflict(f"The run is {state}.", code="not_retryable", hint=hint)
        _requeue(connection, run_id, State(state), by)
    place([run_id])
    return get_run(run_id)


def _hold(connection: Connection, run_id: str) -> str:
    """The run's state, which nobody else changes before the commit."""
    held = update(JobRun).where(JobRun.id == run_id).values(token=JobRun.token)
    state = connection.execute(held.returning(JobRun.state)).scalar()
    if state is None:
        raise no_run(run_id)
    return state


def _cancel_queued(connection: Connection, run_id: str, by: str) -> None:
    values = {
        "finished_at": db_now(),
        "cancel_requested": True,
        "error_code": "cancelled",
        "error_message": "Cancelled before it ran.",
        "retry_at": None,
        # Nothing comes any more: its path is that of its last attempt, if it had one.
        "path": _of_last_attempt(JobAttempt.path),
        "reason": _of_last_attempt(JobAttempt.reason),
    }
    move(
        connection, run_id, State.QUEUED, State.CANCELLED, Happening.CANCELLED,
        values=values, actor=by,
    )  # fmt: skip


def _of_last_attempt(column: Any) -> Any:
    return (
        select(column)
        .where(JobAttempt.run_id == JobRun.id, JobAttempt.number == JobRun.attempts_made)
        .correlate(JobRun)
        .scalar_subquery()
    )


def _ask_to_stop(connection: Connection, run_id: str, by: str) -> None:
    statement = (
        update(JobRun)
        .where(JobRun.id == run_id)
        .values(cancel_requested=True)
        .returning(JobRun.token, JobRun.attempts_made, db_now().label("now"))
    )
    row = connection.execute(statement).one()
    write_event(
        connection, run_id, State.RUNNING, State.RUNNING, Happening.CANCEL_REQUESTED,
        at=row.now, token=row.token, actor=by, attempt=row.attempts_made,
    )  # fmt: skip


def _requeue(connection: Connection, run_id: str, state: State, by: str) -> None:
    values = {
        "available_at": db_now(),
        "placed": False,
        "republished": 0,
        "finished_at": None,
        "retry_at": None,
        "cancel_requested": False,
        "losses": 0,
        "max_tries": JobRun.tries + 1,
        "error_code": None,
        "error_message": None,
        "error_traceback": None,
    }
    try:
        move(
            connection, run_id, state, State.QUEUED, Happening.RETRY_REQUESTED,
            values=values, actor=by,
        )  # fmt: skip
    except IntegrityError:
        raise _overlap_conflict(run_id) from None


def _overlap_conflict(run_id: str) -> Conflict:
    with Session(db.engine) as session:
        key = select(JobRun.overlap_key).where(JobRun.id == run_id).scalar_subquery()
        active = session.scalar(
            select(JobRun.id).where(JobRun.overlap_key == key, JobRun.state.in_(ACTIVE))
        )
    text = f"Run {active} of the same task is active, and the task allows one at a time."
    return Conflict(text, code="overlap", hint="Retry when it has ended.")
