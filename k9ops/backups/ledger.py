"""What a restore changes in the ledger it brought back, and what it writes into it afterwards.

The ledger comes from an earlier moment: its tasks would catch up for all the time since, and its
unfinished runs belong to processes that know nothing of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Dialect, delete, func, insert, literal, literal_column, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import UpdateBase

from k9ops.accounts.models import BrowserSession, User, fold
from k9ops.audit.services import COMMAND_LINE, Actor, Target, record
from k9ops.core.clock import db_now
from k9ops.core.db import new_id
from k9ops.jobs.models import JobAttempt, JobEvent, JobRun, PeriodicTask
from k9ops.jobs.moves import Happening, write_event
from k9ops.jobs.runtime import executor_name
from k9ops.jobs.states import ACTIVE, ENDED_BY_RESTORE, Outcome, Path, Reason, State
from k9ops.notifications.services import Message, notify_holders

#: Stands in the ledger like a job, though none can be started: a restore is a command.
RESTORE = "backups.restore_backup"
MESSAGE = "A backup was restored while this run had not ended."


def fix_ups(tables: Iterable[str]) -> list[UpdateBase]:
    """What must change in the same transaction as the data, as far as it has those tables."""
    wanted = {
        JobEvent: _events_of_unfinished(),
        JobAttempt: _end_attempts(),
        JobRun: _end_runs(),
        PeriodicTask: _restart_tasks(),
        # A session that was ended since must not live again.
        BrowserSession: delete(BrowserSession),
    }
    present = set(tables)
    return [statement for table, statement in wanted.items() if table.__tablename__ in present]


def as_script(statements: Iterable[UpdateBase], dialect: Dialect) -> str:
    """The statements as SQL with the schema named: a dump's script empties the search path."""
    compiled = (
        statement.compile(
            dialect=dialect,
            schema_translate_map={None: "public"},
            render_schema_translate=True,
            compile_kwargs={"literal_binds": True},
        )
        for statement in statements
    )
    return "".join(f"{statement};\n" for statement in compiled)


def _events_of_unfinished() -> UpdateBase:
    columns = {
        "run_id": JobRun.id,
        "at": db_now(),
        "from_state": JobRun.state,
        "to_state": literal(State.FAILED.value),
        "kind": literal(Happening.RESTORED.value),
        "attempt": func.nullif(JobRun.attempts_made, 0),
        "token": JobRun.token + 1,
        "actor": literal(RESTORE),
        "detail": literal_column("'{}'"),
    }
    unfinished = select(*columns.values()).where(JobRun.state.in_(ACTIVE))
    return insert(JobEvent).from_select(list(columns), unfinished, include_defaults=False)


def _end_attempts() -> UpdateBase:
    error = {"error_code": ENDED_BY_RESTORE, "error_message": MESSAGE}
    return (
        update(JobAttempt)
        .where(JobAttempt.outcome.is_(None))
        .values(outcome=Outcome.INTERRUPTED.value, finished_at=db_now(), **error)
    )


def _end_runs() -> UpdateBase:
    error = {"error_code": ENDED_BY_RESTORE, "error_message": MESSAGE}
    return (
        update(JobRun)
        .where(JobRun.state.in_(ACTIVE))
        .values(state=State.FAILED.value, token=JobRun.token + 1, retry_at=None)
        .values(finished_at=db_now(), **error)
    )


def _restart_tasks() -> UpdateBase:
    """Nothing is due up to now. "Due now" makes the next tick find the next occurrence."""
    now = db_now()
    return update(PeriodicTask).values(
        watermark=now, next_due_at=now, updated_at=now, version=PeriodicTask.version + 1
    )


@dataclass(frozen=True)
class RestoreRecord:
    """What is written down of a restore."""

    file: str
    started_at: datetime
    finished_at: datetime
    result: dict[str, Any]
    #: Why a person wanted it.
    reason: str = ""


def write_record(session: Session, done: RestoreRecord, actor: Actor) -> str:
    """Add the run, its events, the audit entry and the notifications; the caller commits."""
    actor = known_as(session, actor)
    run = _run(done, actor)
    session.add(run)
    session.flush()
    session.add(_attempt(run, "cli" if actor == COMMAND_LINE else "child"))
    happenings = (Happening.RECORDED, Happening.CLAIMED, Happening.FINISHED)
    states = (None, State.QUEUED, State.RUNNING, State.SUCCEEDED)
    for number, happening in enumerate(happenings):
        write_event(
            session, run.id, states[number], State(str(states[number + 1])), happening,
            at=done.finished_at if number == 2 else done.started_at,
            token=min(number, 1), actor=actor.name, attempt=1 if number else None,
        )  # fmt: skip
    record(session, actor, "backup.restored", _target(done.file), _detail(done))
    message = Message(
        kind="backup.restored",
        url=f"/runs/{run.id}",
        params={"file": done.file, "by": actor.name, "data_of": done.result["created_at"]},
    )
    notify_holders(session, "backups.view", message)
    return run.id


def write_failure(session: Session, file: str, code: str, actor: Actor) -> None:
    """Add the audit entry and the notifications of a restore that changed nothing."""
    actor = known_as(session, actor)
    record(session, actor, "backup.restore_failed", _target(file), {"code": code})
    params = {"file": file, "by": actor.name, "code": code}
    message = Message(kind="backup.restore_failed", url="/backups/restore", params=params)
    notify_holders(session, "backups.restore", message)


def known_as(session: Session, actor: Actor) -> Actor:
    """The person as the data of now knows them: an older moment may not, or by another number."""
    if actor.id is None:
        return actor
    found = session.scalar(select(User.id).where(User.username_key == fold(actor.name)))
    return replace(actor, id=found)


def _target(file: str) -> Target:
    return Target("backup", file, file)


def _detail(done: RestoreRecord) -> dict[str, Any]:
    return done.result | ({"reason": done.reason} if done.reason else {})


def _run(done: RestoreRecord, actor: Actor) -> JobRun:
    run_id = new_id()
    return JobRun(
        id=run_id,
        job=RESTORE,
        occurrence=f"manual:{run_id}",
        queue="backups",
        priority=5,
        arguments={"file": done.file},
        requested_by=actor.name,
        state=State.SUCCEEDED,
        path=Path.IN_PROCESS,
        reason=Reason.REQUESTED,
        token=1,
        attempts_made=1,
        tries=1,
        queued_at=done.started_at,
        available_at=done.started_at,
        started_at=done.started_at,
        finished_at=done.finished_at,
        duration_ms=(done.finished_at - done.started_at).total_seconds() * 1000,
        result=done.result,
    )


def _attempt(run: JobRun, kind: str) -> JobAttempt:
    return JobAttempt(
        run_id=run.id,
        number=1,
        token=1,
        path=Path.IN_PROCESS,
        reason=Reason.REQUESTED,
        executor=executor_name(kind),
        queued_at=run.queued_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        outcome=Outcome.SUCCEEDED,
        deadline_at=run.finished_at,
        heartbeat_at=run.finished_at,
    )
