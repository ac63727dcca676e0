"""Record a run, choose its path, carry it to an executor."""

import logging
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, event, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, make_transient_to_detached

from k9ops.core.db import db, holds_writes, mark_written, new_id, one_statement
from k9ops.core.errors import BadInput
from k9ops.jobs.carrying import carry, place
from k9ops.jobs.choosing import Choice, choose, chosen_without_asking
from k9ops.jobs.context import active_context, fenced_begin
from k9ops.jobs.errors import KeyInUse, OpenTransaction
from k9ops.jobs.models import JobRun
from k9ops.jobs.moves import Happening, tell_end
from k9ops.jobs.prepared import RunRow, insert_run
from k9ops.jobs.queues import queue_of
from k9ops.jobs.registry import Job, get_job
from k9ops.jobs.runtime import runtime
from k9ops.jobs.states import State, Via

logger = logging.getLogger(__name__)

KEY_LIMIT = 200


@dataclass(frozen=True)
class NewRun:
    """A run about to be recorded."""

    job: Job[..., Any]
    occurrence: str
    arguments: dict[str, Any] = field(default_factory=dict)
    via: Via = Via.AUTO
    requested_by: str | None = None
    due_at: datetime | None = None
    late: bool = False
    max_tries: int = 1
    task_id: int | None = None
    task_version: int | None = None
    overlap_key: int | None = None
    #: Of a native Celery call; else the run's own id is its task's.
    celery_task_id: str | None = None

    @property
    def queue(self) -> str:
        return queue_of(runtime().settings, self.job)


def dispatch(
    name: str,
    arguments: dict[str, Any] | None = None,
    *,
    key: str | None = None,
    via: str = Via.AUTO,
    requested_by: str | None = None,
) -> JobRun:
    """Record a run of the job and hand it on; never executes it. Returns the detached row.

    The same `key` gives the same run, whoever asks and however often. Commits a session of its
    own; `enqueue` records in the caller's.

    Raises:
        UnknownJob, BadInput: the name or an argument is wrong.
        KeyInUse: the key was given before with other arguments.
        OpenTransaction: the caller's session holds writes that this commit would overtake.
    """
    return dispatch_once(name, arguments, key=key, via=via, requested_by=requested_by)[0]


def dispatch_once(
    name: str,
    arguments: dict[str, Any] | None = None,
    *,
    key: str | None = None,
    via: str = Via.AUTO,
    requested_by: str | None = None,
) -> tuple[JobRun, bool]:
    """Like `dispatch`, and whether the run is new."""
    return submit(_asked(name, arguments, key, via, requested_by))


def submit(new: NewRun) -> tuple[JobRun, bool]:
    """Record the run in a transaction of its own and hand it on; the row, and whether it is new.

    Raises:
        OpenTransaction, KeyInUse: see `dispatch`.
    """
    if holds_writes(db.session()):
        hint = "Commit first, or use enqueue(), which records in your transaction."
        raise OpenTransaction(f"dispatch of {new.job.name} inside an open transaction", hint=hint)
    choice = choose(new.queue, new.via)
    row = _record(new, choice)
    if row is None:
        return find(new), False
    as_recorded = row.state == State.QUEUED and carry([row], choice)
    return (_detached(row) if as_recorded else find(new)), True


def _record(new: NewRun, choice: Choice) -> RunRow | None:
    """Record it in a transaction of its own; where nothing is to be fenced, one statement."""
    alone = active_context() is None and new.overlap_key is None
    with one_statement(db.engine) if alone else fenced_begin(db.engine) as connection:
        return record(connection, new, choice)


def enqueue(
    name: str,
    arguments: dict[str, Any] | None = None,
    *,
    key: str | None = None,
    via: str = Via.AUTO,
    requested_by: str | None = None,
) -> JobRun:
    """Record a run in the caller's transaction (`db.session`); it is carried after the commit.

    Raises as `dispatch` does, save OpenTransaction.
    """
    new = _asked(name, arguments, key, via, requested_by)
    session = db.session()
    choice = choose(new.queue, new.via) if chosen_without_asking(new.via) else None
    row = record(session.connection(), new, choice)
    if row is not None:
        mark_written(session)
        event.listen(session, "after_commit", lambda _: _carry_later(row, choice), once=True)
    return _find(session, new)


def _carry_later(row: RunRow, choice: Choice | None) -> None:
    """Hand on what the caller has committed; its commit must not seem to have failed."""
    try:
        if choice is None:
            place([row.id])
        else:
            carry([row], choice)
    except SQLAlchemyError as error:
        logger.warning("run %s is left to the watch over waiting runs: %s", row.id, error)


def record(connection: Connection, new: NewRun, choice: Choice | None) -> RunRow | None:
    """Insert the run as `queued`; its row, or None when its occurrence has one already.

    Without a choice its path is chosen later (`place`). One that meets an active run of its
    overlap key is inserted as `skipped`.
    """
    detail = {"path": choice.path, "reason": choice.reason} if choice else {}
    values = {"overlap_key": new.overlap_key, **_chosen(choice)}
    row = _insert(connection, new, State.QUEUED, detail, **values)
    if row is not None or new.overlap_key is None:
        return row
    text = "The occurrence before was still active."
    row = _insert(connection, new, State.SKIPPED, {"message": text}, text=text)
    if row is not None:
        tell_end(connection, row)
    return row


def _chosen(choice: Choice | None) -> dict[str, Any]:
    if choice is None:
        return {"placed": False}
    names = ("path", "reason", "decision_ms")
    return {"placed": True} | {name: getattr(choice, name) for name in names}


def _detached(row: RunRow) -> JobRun:
    """The row as an object of the ledger, without asking for it again."""
    run = JobRun()
    vars(run).update(vars(row))
    make_transient_to_detached(run)
    return run


def find(new: NewRun) -> JobRun:
    """The row that holds the occurrence, detached."""
    with Session(db.engine, expire_on_commit=False) as session:
        run = _find(session, new)
        session.expunge_all()
        return run


def _asked(
    name: str, arguments: dict[str, Any] | None, key: str | None, via: str, by: str | None
) -> NewRun:
    job = get_job(name)
    if key is not None and not 0 < len(key) <= KEY_LIMIT:
        raise BadInput(f"A key has 1 to {KEY_LIMIT} characters.", field="key")
    if via not in list(Via):
        raise BadInput(f"Unknown way {via!r}.", field="via", hint="Use auto, celery or here.")
    return NewRun(
        job=job,
        occurrence=f"manual:{secrets.token_hex(16)}" if key is None else f"key:{key}",
        arguments=job.check_arguments(arguments or {}),
        via=Via(via),
        requested_by=by,
    )


def _find(session: Session, new: NewRun) -> JobRun:
    statement = select(JobRun).where(
        JobRun.job == new.job.name, JobRun.occurrence == new.occurrence
    )
    run = session.execute(statement).scalar_one()
    if run.arguments != new.arguments:
        hint = "Use another key, or the same arguments."
        text = f"The key was used for {new.job.name} with other arguments."
        raise KeyInUse(text, field="key", hint=hint)
    return run


def _insert(
    connection: Connection, new: NewRun, state: State, detail: dict[str, Any], **values: Any
) -> RunRow | None:
    columns = {
        "id": new_id(),
        "job": new.job.name,
        "occurrence": new.occurrence,
        "task_id": new.task_id,
        "task_version": new.task_version,
        "queue": new.queue,
        "priority": new.job.priority,
        "arguments": new.arguments,
        "requested_by": new.requested_by,
        "state": state,
        "via": new.via,
        "max_tries": new.max_tries,
        "due_at": new.due_at,
        "late": new.late,
        "celery_task_id": new.celery_task_id,
    }
    queued = state is State.QUEUED
    now = ("queued_at", "available_at") + (() if queued else ("finished_at",))
    return insert_run(
        connection, Happening.RECORDED if queued else Happening.SKIPPED,
        now=now, actor=new.requested_by, detail=detail, **columns | values,
    )  # fmt: skip
