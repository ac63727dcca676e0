"""Claim, fence and end of an attempt: who executes a run, and who may still write for it."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    String,
    Update,
    bindparam,
    case,
    cast,
    func,
    literal,
    not_,
    null,
    update,
)
from sqlalchemy.orm import Session

from k9ops.core.clock import db_now, later, ms_since
from k9ops.core.db import UtcDateTime, changed
from k9ops.jobs.errors import LeaseLost
from k9ops.jobs.models import JobAttempt, JobRun
from k9ops.jobs.moves import RUNS, Happening, move
from k9ops.jobs.prepared import Moved, PreparedMove, insert_selected
from k9ops.jobs.registry import catalogue
from k9ops.jobs.retries import Next, Retry, after_attempt
from k9ops.jobs.signals import is_heard
from k9ops.jobs.states import Outcome, Path, State, Via

ATTEMPTS: Any = JobAttempt.__table__
#: What is told to Celery of a run that succeeded.
_TOLD_COLUMNS = ("id", "job", "state", "path", "celery_task_id", "result")


@dataclass(frozen=True)
class Claim:
    """The right to execute a run once: worth something while `token` is the row's."""

    run_id: str
    job: str
    token: int
    attempt: int
    arguments: dict[str, Any]
    executor: str
    started_at: datetime


@dataclass(frozen=True)
class Ending:
    """How an attempt ended, and what it left."""

    outcome: Outcome
    result: Any = None
    text: str | None = None
    code: str | None = None
    message: str | None = None
    traceback: str | None = None
    permanent: bool = False
    progress: dict[str, Any] = field(default_factory=dict)


def interrupted() -> Ending:
    """The ending of an attempt whose process stops: its run is queued again at once."""
    text = "The process stopped before the run had ended."
    return Ending(Outcome.INTERRUPTED, code="interrupted", message=text)


def claim(connection: Connection, run_id: str, path: Path, executor: str) -> Claim | None:
    """Win the run, or None: it is not waiting, not yet due again, cancelled, or someone else's.

    The attempt's row is made here and nowhere else.
    """
    limits = tuple((name, job.timeout_seconds) for name, job in catalogue().items())
    row = _claiming(path, limits)(connection, run_id, actor=executor)
    if row is None:
        return None
    return Claim(row.id, row.job, row.token, row.attempts_made, row.arguments, executor, row.now)


@cache
def _claiming(path: Path, limits: tuple[tuple[str, float], ...]) -> PreparedMove:
    """Who executes in process takes only what was placed here; a message may come late."""
    here = path is Path.IN_PROCESS
    placed_here = (RUNS.c.path == path,) if here else (RUNS.c.via != Via.HERE,)
    known = (RUNS.c.job.in_(_fixed([name for name, _seconds in limits], expanding=True)),)
    values = {
        "token": RUNS.c.token + 1,
        "attempts_made": RUNS.c.attempts_made + 1,
        "path": path,
        "placed": True,
        "started_at": func.coalesce(RUNS.c.started_at, db_now()),
        "retry_at": None,
    }
    waiting = (RUNS.c.available_at <= db_now(), not_(RUNS.c.cancel_requested))
    return PreparedMove(
        State.QUEUED, State.RUNNING, Happening.CLAIMED,
        where=(*waiting, *placed_here, *known),
        values=values | ({} if here else {"reason": None}),
        along=partial(_new_attempt, limits=dict(limits), here=here),
        columns=("id", "job", "token", "attempts_made", "arguments"),
    )  # fmt: skip


def _new_attempt(moved: Moved, *, limits: dict[str, float], here: bool) -> Any:
    run = moved.run
    task_id = func.coalesce(run["celery_task_id"], cast(run["id"], String))
    copied = ("token", "path", "reason", "decision_ms", "queued_at")
    values = {name: run[name] for name in copied} | {
        "run_id": run["id"],
        "number": run["attempts_made"],
        "executor": moved.parameter("p_actor", ATTEMPTS.c.executor),
        "celery_task_id": cast(null(), String) if here else task_id,
        "started_at": moved.now,
        "heartbeat": literal(0),
        "heartbeat_at": moved.now,
        "deadline_at": later(moved.now, _limit_of(run["job"], limits)),
    }
    return insert_selected(ATTEMPTS, values)


def _limit_of(job: Any, limits: dict[str, float]) -> ColumnElement[float]:
    whens = [(job == _fixed(name), _fixed(seconds)) for name, seconds in limits.items()]
    return case(*whens)


def _fixed(value: Any, *, expanding: bool = False) -> Any:
    """What is the same at every call stands in the statement's text, for its prepared copy."""
    return bindparam(None, value, expanding=expanding, literal_execute=True, unique=True)


def fence(connection: Connection | Session, run_id: str, token: int) -> None:
    """Hold the run's row until the commit, if it is still ours.

    An UPDATE, since a SELECT would let another attempt pass it on SQLite.

    Raises:
        LeaseLost: it is not; the caller rolls back.
    """
    mine = (JobRun.id == run_id, JobRun.token == token, JobRun.state == State.RUNNING)
    statement = update(JobRun).where(*mine).values(token=JobRun.token)
    if isinstance(connection, Session):
        statement = statement.execution_options(synchronize_session=False)
    if not changed(connection.execute(statement)):
        raise LeaseLost


def end_attempt(
    connection: Connection,
    claim: Claim,
    ending: Ending,
    *,
    actor: str | None = None,
    where: tuple[ColumnElement[bool], ...] = (),
) -> Row[Any]:
    """End the attempt and move its run: the one place that writes what follows an attempt.

    Raises:
        LeaseLost: the attempt has ended already, or `where` does not hold; nothing was written.
    """
    if ending.outcome is Outcome.SUCCEEDED and not where:
        return _succeed(connection, claim, ending, actor or claim.executor)
    run = _own_row(connection, claim, where)
    follows = _what_follows(run, ending)
    _close_attempt(connection, claim, ending, run.now)
    return _move_on(connection, claim, ending, follows, run, actor or claim.executor)


def _succeed(connection: Connection, claim: Claim, ending: Ending, actor: str) -> Row[Any]:
    """A success needs no look at the run first: it ends it, whatever went before."""
    row = _succeeding(bool(ending.progress), is_heard(claim.job))(
        connection, claim.run_id, actor=actor, detail=_detail(ending, None),
        p_token=claim.token, p_began=claim.started_at, p_result=ending.result,
        **{f"p_{name}": value for name, value in ending.progress.items()},
    )  # fmt: skip
    if row is None:
        raise LeaseLost
    return row


@cache
def _succeeding(has_progress: bool, heard: bool) -> PreparedMove:
    """Listeners are given the whole row; to read it takes as long as to write the end."""
    none = ("text", "error_code", "error_message", "error_traceback", "retry_at")
    values = {
        "tries": RUNS.c.tries + 1,
        "losses": 0,
        "finished_at": db_now(),
        "duration_ms": ms_since(bindparam("p_began", type_=UtcDateTime())),
        "result": bindparam("p_result", type_=RUNS.c.result.type),
        **dict.fromkeys(none),
    }
    return PreparedMove(
        State.RUNNING, State.SUCCEEDED, Happening.FINISHED,
        where=(RUNS.c.token == bindparam("p_token"),),
        values=values,
        along=partial(_close_well, has_progress=has_progress),
        columns=tuple(RUNS.c.keys()) if heard else _TOLD_COLUMNS,
    )  # fmt: skip


def _close_well(moved: Moved, *, has_progress: bool) -> Any:
    names = ("progress_done", "progress_total", "progress_text") if has_progress else ()
    none = dict.fromkeys(("error_code", "error_message", "error_traceback"))
    return (
        update(ATTEMPTS)
        .where(ATTEMPTS.c.run_id == moved.value("id"), ATTEMPTS.c.outcome.is_(None))
        .where(ATTEMPTS.c.number == moved.value("attempts_made"))
        .values(outcome=Outcome.SUCCEEDED, finished_at=moved.now, **none)
        .values({name: bindparam(f"p_{name}") for name in names})
    )


def _own_row(
    connection: Connection, claim: Claim, where: tuple[ColumnElement[bool], ...]
) -> Row[Any]:
    """The run's row, locked; SQLite locks by the write that this is."""
    statement = (
        update(JobRun)
        .where(JobRun.id == claim.run_id, JobRun.token == claim.token)
        .where(JobRun.state == State.RUNNING, *where)
        .values(token=JobRun.token)
        .returning(JobRun.__table__, db_now().label("now"))
    )
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise LeaseLost
    return row


def _what_follows(run: Row[Any], ending: Ending) -> Next:
    # A job that another version of the application knows may be lost here.
    job = catalogue().get(run.job)
    follows = after_attempt(
        ending.outcome,
        retry=job.retry if job else Retry(),
        tries=_tries(run, ending),
        max_tries=run.max_tries,
        losses=_losses(run, ending),
        permanent=ending.permanent,
    )
    if follows.state is State.QUEUED and run.cancel_requested:
        return Next(State.CANCELLED)
    return follows


def _tries(run: Row[Any], ending: Ending) -> int:
    uncounted = ending.outcome in (Outcome.LOST, Outcome.INTERRUPTED)
    return int(run.tries) + (0 if uncounted else 1)


def _losses(run: Row[Any], ending: Ending) -> int:
    if ending.outcome is Outcome.INTERRUPTED:
        return int(run.losses)
    return int(run.losses) + 1 if ending.outcome is Outcome.LOST else 0


def _move_on(
    connection: Connection, claim: Claim, ending: Ending, follows: Next, run: Row[Any], actor: str
) -> Row[Any]:
    values = {
        "tries": _tries(run, ending),
        "losses": _losses(run, ending),
        "result": ending.result,
        "text": ending.text,
        "error_code": follows.code or ending.code,
        "error_message": ending.message,
        "error_traceback": ending.traceback,
    } | _times(claim, follows, run.now)
    row = move(
        connection, claim.run_id, State.RUNNING, follows.state, _happening(ending, follows),
        values=values, actor=actor, attempt=claim.attempt,
        detail=_detail(ending, values["retry_at"]),
    )  # fmt: skip
    if row is None:
        raise LeaseLost
    return row


def _times(claim: Claim, follows: Next, now: datetime) -> dict[str, Any]:
    duration = round((now - claim.started_at).total_seconds() * 1000, 3)
    if follows.state is not State.QUEUED:
        return {"finished_at": now, "duration_ms": duration, "retry_at": None}
    again = now + follows.delay
    return {
        "available_at": again,
        # Celery is tried first again: the path is chosen when the time has come.
        "placed": False,
        "republished": 0,
        "retry_at": again if follows.delay else None,
        "duration_ms": duration,
        "finished_at": None,
    }


def _happening(ending: Ending, follows: Next) -> Happening:
    if ending.outcome is Outcome.LOST:
        return Happening.LOST
    if ending.outcome is Outcome.INTERRUPTED:
        return Happening.INTERRUPTED
    if follows.state is State.CANCELLED:
        return Happening.CANCELLED
    return Happening.RETRY_PLANNED if follows.state is State.QUEUED else Happening.FINISHED


def _detail(ending: Ending, retry_at: datetime | None) -> dict[str, Any]:
    found = {
        "outcome": str(ending.outcome),
        "code": ending.code,
        "message": ending.message or ending.text,
        "retry_at": retry_at.isoformat() if retry_at else None,
    }
    return {key: value for key, value in found.items() if value is not None}


def _close_attempt(connection: Connection, claim: Claim, ending: Ending, now: datetime) -> None:
    values = {
        "outcome": ending.outcome,
        "finished_at": now,
        "error_code": ending.code,
        "error_message": ending.message,
        "error_traceback": ending.traceback,
    }
    values |= ending.progress
    mine = {"my_run": claim.run_id, "my_number": claim.attempt}
    if not changed(connection.execute(_closing(tuple(values)), values | mine)):
        raise LeaseLost


@cache
def _closing(names: tuple[str, ...]) -> Update:
    return (
        update(ATTEMPTS)
        .where(ATTEMPTS.c.run_id == bindparam("my_run"), ATTEMPTS.c.outcome.is_(None))
        .where(ATTEMPTS.c.number == bindparam("my_number"))
        .values({name: bindparam(name) for name in names})
    )
