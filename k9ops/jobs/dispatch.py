"""Record a run, choose its path, carry it to an executor."""

import secrets
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, event, select
from sqlalchemy.orm import Session

from k9ops.core.clock import read_now
from k9ops.core.db import db, holds_writes, insert_new, mark_written, new_id
from k9ops.core.errors import BadInput
from k9ops.jobs.context import fenced_begin
from k9ops.jobs.errors import KeyInUse, OpenTransaction
from k9ops.jobs.models import JobRun
from k9ops.jobs.moves import Happening, tell_end, write_event
from k9ops.jobs.registry import Job, get_job
from k9ops.jobs.runtime import runtime
from k9ops.jobs.states import Path, Reason, State, Via

KEY_LIMIT = 200


@dataclass(frozen=True)
class Choice:
    """The path of a run, and the reason for it."""

    path: Path
    reason: Reason | None


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
    new = _asked(name, arguments, key, via, requested_by)
    if holds_writes(db.session()):
        hint = "Commit first, or use enqueue(), which records in your transaction."
        raise OpenTransaction(f"dispatch of {name} inside an open transaction", hint=hint)
    with fenced_begin(db.engine) as connection:
        run_id = record(connection, new)
    run = load(run_id, new)
    if run_id is not None:
        carry()
    return run, run_id is not None


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
    if record(session.connection(), new) is not None:
        mark_written(session)
        event.listen(session, "after_commit", lambda _: carry(), once=True)
    return _find(session, new)


def record(connection: Connection, new: NewRun) -> str | None:
    """Insert the run as `queued`; its id, or None when its occurrence has a row already.

    One that meets an active run of its overlap key is inserted as `skipped`.
    """
    now = read_now(connection)
    began = time.perf_counter()
    choice = choose(new.via)
    decision_ms = round((time.perf_counter() - began) * 1000, 3)
    active = {"path": choice.path, "reason": choice.reason, "decision_ms": decision_ms}
    run_id = _insert(connection, new, State.QUEUED, now, overlap_key=new.overlap_key, **active)
    if run_id is not None:
        detail = {"path": choice.path, "reason": choice.reason}
        _write_first_event(connection, new, run_id, State.QUEUED, now, detail)
        return run_id
    if new.overlap_key is None:
        return None
    text = "The occurrence before was still active."
    run_id = _insert(connection, new, State.SKIPPED, now, finished_at=now, text=text)
    if run_id is not None:
        _write_first_event(connection, new, run_id, State.SKIPPED, now, {"message": text})
        tell_end(connection, run_id)
    return run_id


def choose(via: Via) -> Choice:
    """The path of a new run. Celery is not part of this installation: everything runs here."""
    if via is Via.CELERY:
        return Choice(Path.CELERY, None)
    return Choice(Path.IN_PROCESS, Reason.REQUESTED if via is Via.HERE else Reason.CELERY_OFF)


def carry() -> None:
    """Hand waiting runs on: wake the executor of this process, if it has one."""
    runtime().wake()


def load(run_id: str | None, new: NewRun) -> JobRun:
    """The run's row, detached: by its id, or the one that holds the occurrence."""
    with Session(db.engine, expire_on_commit=False) as session:
        run = _find(session, new) if run_id is None else session.get_one(JobRun, run_id)
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
    connection: Connection, new: NewRun, state: State, now: datetime, **values: Any
) -> str | None:
    run_id = new_id()
    columns = {
        "id": run_id,
        "job": new.job.name,
        "occurrence": new.occurrence,
        "task_id": new.task_id,
        "task_version": new.task_version,
        "queue": new.job.queue,
        "priority": new.job.priority,
        "arguments": new.arguments,
        "requested_by": new.requested_by,
        "state": state,
        "via": new.via,
        "max_tries": new.max_tries,
        "due_at": new.due_at,
        "late": new.late,
        "queued_at": now,
        "available_at": now,
    }
    return run_id if insert_new(connection, JobRun, **columns | values) else None


def _write_first_event(
    connection: Connection,
    new: NewRun,
    run_id: str,
    state: State,
    now: datetime,
    detail: dict[str, Any],
) -> None:
    happening = Happening.RECORDED if state is State.QUEUED else Happening.SKIPPED
    actor = new.requested_by
    write_event(
        connection, run_id, None, state, happening, at=now, token=0, actor=actor, detail=detail
    )
