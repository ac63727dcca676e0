"""The one door through which a run changes its state: conditional, and written down as an event."""

import logging
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, update
from sqlalchemy.orm import Session

from k9ops.core.clock import db_now
from k9ops.jobs.models import JobEvent, JobRun
from k9ops.jobs.signals import run_finished
from k9ops.jobs.states import END_STATES, State, may_move

logger = logging.getLogger(__name__)


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
        update(JobRun)
        .where(JobRun.id == run_id, JobRun.state == before, *where)
        .values(state=after, **(values or {}))
        .returning(JobRun.__table__, db_now().label("now"))
    )
    row = connection.execute(statement).one_or_none()
    if row is not None:
        number = attempt if attempt is not None else row.attempts_made or None
        write_event(
            connection, run_id, before, after, happening,
            at=row.now, token=row.token, actor=actor, attempt=number, detail=detail,
        )  # fmt: skip
        if after in END_STATES:
            tell_end(connection, run_id)
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
    values = {"from_state": before, "to_state": after, "kind": happening, "detail": detail or {}}
    connection.execute(
        insert(JobEvent).values(
            run_id=run_id, at=at, token=token, actor=actor, attempt=attempt, **values
        )
    )


def tell_end(connection: Connection, run_id: str) -> None:
    """Tell the listeners, inside the transaction; one that fails undoes only its own writes."""
    if not run_finished.receivers:
        return
    with Session(bind=connection, join_transaction_mode="create_savepoint") as session:
        run = session.get_one(JobRun, run_id)
        try:
            run_finished.send(run.job, session=session, run=run)
            session.commit()
        except Exception:  # a listener's fault must not undo the end of the run
            logger.exception("a listener failed at the end of run %s", run_id)
