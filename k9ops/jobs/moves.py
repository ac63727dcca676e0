"""The one door through which a run changes its state: conditional, and written down as an event."""

import logging
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Row, Table, insert, update
from sqlalchemy.orm import Session

from k9ops.core.clock import db_now
from k9ops.jobs.models import JobEvent, JobRun
from k9ops.jobs.signals import run_fell_short, run_finished
from k9ops.jobs.states import END_STATES, State, may_move

logger = logging.getLogger(__name__)

# The tables themselves: a statement over a mapped class costs three times as much to prepare.
RUNS = cast("Table", JobRun.__table__)
_NEW_EVENT = insert(cast("Table", JobEvent.__table__))


class Happening(StrEnum):
    """The word of an event; pages translate it."""

    RECORDED = "recorded"
    SKIPPED = "skipped"
    MISSED = "missed"
    CLAIMED = "claimed"
    FINISHED = "finished"
    RETRY_PLANNED = "retry_planned"
    LOST = "lost"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"
    CANCEL_REQUESTED = "cancel_requested"
    RETRY_REQUESTED = "retry_requested"
    RESTORED = "restored"
    SENT_AGAIN = "sent_again"
    FELL_BACK = "fell_back"


def move(
    connection: Connection,
    run_id: str,
    before: State,
    after: State,
    happening: Happening,
    *,
    where: tuple[ColumnElement[bool], ...] = (),
    values: dict[str, Any] | None = None,
    actor: str | None = None,
    attempt: int | None = None,
    detail: dict[str, Any] | None = None,
) -> Row[Any] | None:
    """Move the run if it still is `before` (and `where` holds); its row after it, else None.

    The row has the run's columns and `now`, the database's. Event and signal belong to the
    transaction of `connection`, which the caller commits.
    """
    if not may_move(before, after):
        raise ValueError(f"no run moves from {before} to {after}")
    statement = (
        update(RUNS)
        .where(RUNS.c.id == run_id, RUNS.c.state == before, *where)
        .values(state=after, **(values or {}))
        .returning(RUNS, db_now().label("now"))
    )
    row: Row[Any] | None = connection.execute(statement).one_or_none()
    if row is not None:
        number = attempt if attempt is not None else row.attempts_made or None
        write_event(
            connection, run_id, before, after, happening,
            at=row.now, token=row.token, actor=actor, attempt=number, detail=detail,
        )  # fmt: skip
        if after in END_STATES:
            tell_end(connection, row)
    return row


def write_event(
    connection: Connection | Session,
    run_id: str,
    before: State | None,
    after: State,
    happening: Happening,
    *,
    at: datetime,
    token: int,
    actor: str | None = None,
    attempt: int | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Write an event beside the change it tells of."""
    event = {
        "run_id": run_id,
        "at": at,
        "from_state": before,
        "to_state": after,
        "kind": happening,
        "attempt": attempt,
        "token": token,
        "actor": actor,
        "detail": detail or {},
    }
    connection.execute(_NEW_EVENT, event)


def tell_end(connection: Connection, run: Any) -> None:
    """Tell the listeners, inside the transaction; one that fails undoes only its own writes."""
    short = run_fell_short.receivers_for(run.job) if run.state != State.SUCCEEDED else ()
    for listener in chain(run_finished.receivers_for(run.job), short):
        try:
            listener(run.job, connection=connection, run=run)
        except Exception:  # a listener's fault must not undo the end of the run
            logger.exception("a listener failed at the end of run %s", run.id)
