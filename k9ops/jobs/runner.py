"""`execute(run)`: the one function that runs a job, on every path."""

import json
import logging
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from flask import current_app
from sqlalchemy import Connection, Engine, Row
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from k9ops.core.db import db, one_statement
from k9ops.core.errors import K9Error
from k9ops.core.text import clean, clean_json
from k9ops.jobs import isolation
from k9ops.jobs.claims import Claim, Ending, claim, end_attempt, interrupted
from k9ops.jobs.context import RunContext
from k9ops.jobs.errors import LeaseLost, PermanentError, Stopped
from k9ops.jobs.keeper import write_lines
from k9ops.jobs.registry import Job, get_job
from k9ops.jobs.results import tell_celery
from k9ops.jobs.runtime import runtime
from k9ops.jobs.signals import is_heard
from k9ops.jobs.states import Outcome, Path

W = TypeVar("W")

logger = logging.getLogger(__name__)

CODE_LIMIT = 80
MESSAGE_LIMIT = 2_000
TRACEBACK_LIMIT = 20_000
RESULT_LIMIT = 200_000
#: Pauses between tries to write an end while the database is away: five minutes in all.
END_PAUSES = (0.2, 0.5, 1, 2, 5, *[10] * 29)


@dataclass(frozen=True)
class Partial:
    """A job returns this when part of its work is done and part is not.

    With a `code` the run's error tells why; `permanent`: a retry by itself would not help.
    """

    result: Any
    text: str
    code: str | None = None
    permanent: bool = False


def execute(run_id: str, executor: str, path: Path = Path.IN_PROCESS) -> bool:
    """Claim the run and execute it to its end here; False if it was not to be had.

    Needs an application context. Raises nothing of the job: how it ended stands in the ledger.
    """
    won = take(run_id, executor, path)
    if won is not None:
        work(won)
    return won is not None


def take(run_id: str, executor: str, path: Path = Path.IN_PROCESS) -> Claim | None:
    """Claim the run, or None if it was not to be had."""
    with one_statement(db.engine) as connection:
        return claim(connection, run_id, path, executor)


def work(claim: Claim) -> None:
    """Execute a claimed run to its end, in a process of its own where the job asks for it.

    The child of a worker's pool is one already.
    """
    if get_job(claim.job).isolation == "process" and not runtime().is_pool_child:
        isolation.run_in_child(claim)
    else:
        perform(claim)


def perform(claim: Claim) -> None:
    """Execute a claimed run in this thread."""
    job = get_job(claim.job)
    context = RunContext(claim, db.engine, job.options)
    with runtime().keeper.watching(context):
        with context.active():
            ending = _call(job, context)
        db.session.remove()
        if ending is not None:
            _end(context, ending)


def _call(job: Job[..., Any], context: RunContext) -> Ending | None:
    """Call the function; None when the run is no longer ours or has ended with its work."""
    try:
        ending = _succeeded(job.call(context.claim.arguments))
        if job.atomic:
            _commit_with_end(context, ending)
            return None
        if db.session().in_transaction():  # an unused session has nothing to fence
            db.session.commit()
        return ending
    except LeaseLost:
        logger.warning("run %s: fenced, another attempt owns it", context.id)
        return None
    except Stopped as stopped:
        return _stopped(stopped)
    except PermanentError as error:
        return replace(_failed(error), permanent=True)
    except BaseException as error:  # noqa: BLE001  (here every error of a job ends)
        return _stopped(Stopped("soft_limit")) if _is_celerys_limit(error) else _failed(error)
    finally:
        _roll_back()


def _roll_back() -> None:
    try:
        db.session.rollback()
    except SQLAlchemyError as error:  # the connection has gone, and with it what it held
        logger.warning("nothing to roll back: %s", error)


def _commit_with_end(context: RunContext, ending: Ending) -> None:
    """The job's writes and its end in one transaction."""
    db.session.flush()
    context.ended = True
    connection = db.session.connection()
    run = end_attempt(connection, context.claim, replace(ending, progress=context.progress_values))
    write_lines(connection, context, context.take_lines())
    db.session.commit()
    _write_last_lines(context)
    tell_celery(run)


def _write_last_lines(context: RunContext) -> None:
    """Those that the keeper held when the run ended; outside the end, for which it may wait."""
    with context.writing:
        lines = context.take_lines()
    if lines:
        persist(lambda connection: write_lines(connection, context, lines))


def _succeeded(value: Any) -> Ending:
    if isinstance(value, Partial):
        return _partly(value)
    try:
        size = len(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise PermanentError(f"The result is no JSON value: {error}", "bad_result") from None
    if size > RESULT_LIMIT:
        text = f"The result is too large: {size:,} characters of at most {RESULT_LIMIT:,}."
        raise PermanentError(text, "bad_result")
    return Ending(Outcome.SUCCEEDED, result=clean_json(value))


def _partly(value: Partial) -> Ending:
    text = clean(value.text, MESSAGE_LIMIT)
    return replace(
        _succeeded(value.result),
        outcome=Outcome.PARTIAL,
        text=text,
        code=value.code,
        message=text if value.code else None,
        permanent=value.permanent,
    )


def _stopped(stopped: Stopped) -> Ending | None:
    if stopped.why == "lost":
        # A process that stops says so to its runs; one that heeds gives its run back itself.
        return interrupted() if runtime().stopping else None
    if stopped.why == "cancelled":
        return Ending(Outcome.CANCELLED, code="cancelled", message="Cancelled while it ran.")
    text = "The soft time limit passed, and the job stopped."
    return Ending(Outcome.TIMED_OUT, code="timed_out", message=text)


def _failed(error: BaseException) -> Ending:
    return Ending(
        Outcome.FAILED,
        code=_code_of(error),
        message=clean(_text_of(error), MESSAGE_LIMIT),
        traceback=_traceback_of(error),
    )


def _is_celerys_limit(error: BaseException) -> bool:
    """Celery's own soft limit, the net behind ours: raised into a function that never checked."""
    return type(error).__name__ == "SoftTimeLimitExceeded"


def _code_of(error: BaseException) -> str:
    code = error.code if isinstance(error, K9Error | PermanentError) else type(error).__name__
    return clean(str(code))[:CODE_LIMIT]


def _text_of(error: BaseException) -> str:
    try:
        return str(error) or type(error).__name__
    except Exception:  # noqa: BLE001  (an exception whose text raises is still recorded)
        return type(error).__name__


def _traceback_of(error: BaseException) -> str:
    """The whole chain, each of its lines cut: a message may be megabytes long."""
    lines = traceback.TracebackException.from_exception(error).format()
    return clean("".join(clean(line, MESSAGE_LIMIT) for line in lines), TRACEBACK_LIMIT)


def _end(context: RunContext, ending: Ending) -> None:
    """Write the end, again and again while the database is away."""
    ending = replace(ending, progress=context.progress_values)

    def write(connection: Connection) -> Row[Any]:
        run = end_attempt(connection, context.claim, ending)
        write_lines(connection, context, lines)
        return run

    lines = context.take_lines()
    succeeded = ending.outcome is Outcome.SUCCEEDED
    is_alone = succeeded and not lines and not is_heard(context.claim.job)
    try:
        run = persist(write, one_statement if is_alone else Engine.begin)
    except LeaseLost:
        logger.warning("run %s: its end came too late, another attempt owns it", context.id)
    else:
        _write_last_lines(context)
        tell_celery(run)


def persist(
    write: Callable[[Connection], W | None],
    begin: Callable[[Engine], AbstractContextManager[Connection]] = Engine.begin,
) -> W | None:
    """What `write` returns, in a transaction tried again and again while the database is away."""
    for pause in (*END_PAUSES, None):
        try:
            with begin(db.engine) as connection:
                return write(connection)
        except (OperationalError, InterfaceError) as error:
            if pause is None:
                current_app.logger.exception("the database stayed away too long")
                return None
            logger.warning("what is to be written waits for the database: %s", error)
            time.sleep(pause)
    return None
