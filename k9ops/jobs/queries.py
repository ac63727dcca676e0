"""What others read of the ledger: runs by filter, one run, and the JSON documents of both."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    String,
    and_,
    cast,
    func,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session, defer, selectinload

from k9ops.core.clock import read_now
from k9ops.core.db import db
from k9ops.core.errors import NotFound
from k9ops.core.paging import Order, Page, Part, sorted_page, values_of
from k9ops.core.spelling import has_words
from k9ops.jobs.models import (
    SHOWN_OF_ID,
    JobAttempt,
    JobEffect,
    JobEvent,
    JobLogLine,
    JobRun,
    PeriodicTask,
)
from k9ops.jobs.registry import Job, catalogue, title_of
from k9ops.jobs.triggers import next_dues
from k9ops.jobs.versions import terms_of

#: The shape of an id.
_ID_OF = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
_PART_OF_ID = re.compile(r"^[0-9a-f-]{4,36}$")


@dataclass(frozen=True)
class RunFilter:
    """Which runs; an empty field lets all pass.

    `search`: part of what a run told, of its job's name or title, or its id's begin or end.
    """

    job: str = ""
    states: tuple[str, ...] = ()
    path: str = ""
    reason: str = ""
    since: datetime | None = None
    until: datetime | None = None
    search: str = ""


#: What runs are sorted by: each has an index that ends with the id. Ids are in the order in which
#: the occurrences were recorded: that of their due times, but for what was caught up later.
RUN_HEADS: dict[str, Any] = {
    "due": JobRun.id,
    "state": JobRun.state,
    "job": JobRun.job,
    "took": JobRun.duration_ms,
}
NEWEST = Order("due", down=True)


def list_runs(
    wanted: RunFilter,
    limit: int = 25,
    before: str | None = None,
    after: str | None = None,
    order: Order = NEWEST,
) -> Page[JobRun]:
    """A page of runs: what follows the place `before`, or goes before `after`, or the first.

    Raises:
        NotFound: a place begins with what is no run's id.
    """
    return sorted_page(
        order.sorting(RUN_HEADS, JobRun.id),
        lambda part, most: _part_of_runs(wanted, part, most),
        limit=limit,
        before=_known_place(before) if before else None,
        after=_known_place(after) if after else None,
    )


def _known_place(place: str) -> str:
    run_id, told, value = place.partition("~")
    return known_id(run_id) + told + value


def _part_of_runs(wanted: RunFilter, part: Part, limit: int) -> Sequence[JobRun]:
    statement = select(JobRun).options(defer(JobRun.error_traceback), defer(JobRun.result))
    if wanted.search:
        ids = db.session.scalars(_searched(wanted, part, limit)).all()
        # The branches of a search may find the same run.
        statement = statement.where(JobRun.id.in_(ids))
    else:
        statement = filtered(statement, wanted).where(*part.where)
    # As they stand now: the next page begins where the last of them is shown.
    statement = statement.order_by(*part.order).execution_options(populate_existing=True)
    return db.session.scalars(statement.limit(limit)).all()


def count_matching(wanted: RunFilter, limit: int, after: str | None = None) -> int:
    """How many runs match, counted up to `limit`; `after`: only those newer than that run."""
    bounds = (JobRun.id > known_id(after),) if after else ()
    if wanted.search:
        ways = _searched(wanted, Part(bounds, (JobRun.id.desc(),)), limit)
        some = select(ways.subquery().c.id).distinct()
    else:
        some = filtered(select(JobRun.id), wanted).where(*bounds)
    return db.session.scalar(select(func.count()).select_from(some.limit(limit).subquery())) or 0


def filtered(statement: Select[Any], wanted: RunFilter) -> Select[Any]:
    """The statement over runs, narrowed to the filter."""
    statement = statement.where(*_conditions(wanted))
    return statement.where(or_(*_matches(wanted.search))) if wanted.search else statement


def _conditions(wanted: RunFilter) -> list[ColumnElement[bool]]:
    """What holds besides the search."""
    columns = (JobRun.job, JobRun.path, JobRun.reason)
    values = (wanted.job, wanted.path, wanted.reason)
    conditions = [column == value for column, value in zip(columns, values, strict=True) if value]
    if wanted.states:
        conditions.append(JobRun.state.in_(wanted.states))
    if wanted.since:
        conditions.append(JobRun.queued_at >= wanted.since)
    if wanted.until:
        conditions.append(JobRun.queued_at < wanted.until)
    return conditions


def _searched(wanted: RunFilter, part: Part, limit: int) -> CompoundSelect[Any]:
    """Ids of the first runs by each way to match: every way has an index of its own."""
    narrow = select(JobRun.id).where(*_conditions(wanted), *part.where)
    narrow = narrow.order_by(*part.order).limit(limit)
    ways = (narrow.where(way).subquery() for way in _matches(wanted.search))
    return union_all(*(select(way.c.id) for way in ways))


def _matches(words: str) -> list[ColumnElement[bool]]:
    """The ways to match: what the run told, a job of that name or title, the id's begin or end."""
    each = (JobRun.told.contains(word, autoescape=True) for word in words.lower().split())
    told = and_(JobRun.told.is_not(None), *each)
    return [told, *(JobRun.job == name for name in _jobs_called(words)), *_ids_like(words)]


def _jobs_called(words: str) -> list[str]:
    """Jobs with the words in their name or title; those that only the ledger knows, too."""
    names = {*catalogue(), *values_of(db.session(), JobRun.job)}
    return [name for name in sorted(names) if has_words(f"{name} {title_of(name)}", words)]


def _ids_like(words: str) -> list[ColumnElement[bool]]:
    """Ids that begin, or as the list shows them end, with the words."""
    text = words.lower()
    if not _PART_OF_ID.match(text):
        return []
    ends = _ids_that_end(text)
    first, last = (text + _ID_OF[len(text) :].replace("x", sign) for sign in "0f")
    return [*ends, JobRun.id.between(first, last)] if _is_id(first) else ends


def _ids_that_end(text: str) -> list[ColumnElement[bool]]:
    tail = text[-SHOWN_OF_ID:]
    if len(tail) < SHOWN_OF_ID or "-" in tail:
        return []
    return [(JobRun.id_end == tail) & cast(JobRun.id, String).endswith(text)]


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def get_run(run_id: str) -> JobRun:
    """The run with its attempts, detached.

    Raises:
        NotFound: there is none of this id.
    """
    statement = (
        select(JobRun).where(JobRun.id == known_id(run_id)).options(selectinload(JobRun.attempts))
    )
    with Session(db.engine, expire_on_commit=False) as session:
        run = session.scalar(statement)
        if run is None:
            raise no_run(run_id)
        session.expunge_all()
        return run


def known_id(run_id: str) -> str:
    """The id as the database writes it.

    Raises:
        NotFound: it is no id at all.
    """
    try:
        return str(UUID(run_id))
    except ValueError:
        raise no_run(run_id) from None


def no_run(run_id: str) -> NotFound:
    """The error that says so."""
    hint = "`flask jobs runs` lists the runs with their ids."
    return NotFound(f"There is no run {run_id}.", code="no_run", field="run", hint=hint)


def events_of(run_id: str) -> Sequence[JobEvent]:
    """The run's events, oldest first."""
    return db.session.scalars(
        select(JobEvent).where(JobEvent.run_id == run_id).order_by(JobEvent.id)
    ).all()


def effects_of(run_id: str) -> Sequence[JobEffect]:
    """The run's effects outside the database, in the order of their reservation."""
    return db.session.scalars(
        select(JobEffect).where(JobEffect.run_id == run_id).order_by(JobEffect.id)
    ).all()


def log_lines_of(
    run_id: str,
    attempt: int | None = None,
    level: str | None = None,
    after_id: int = 0,
    limit: int = 500,
) -> Sequence[JobLogLine]:
    """Log lines of the run, oldest first, from after `after_id`."""
    statement = select(JobLogLine).where(JobLogLine.run_id == run_id, JobLogLine.id > after_id)
    if attempt is not None:
        statement = statement.where(JobLogLine.attempt == attempt)
    if level is not None:
        statement = statement.where(JobLogLine.level == level)
    return db.session.scalars(statement.order_by(JobLogLine.id).limit(limit)).all()


def run_document(run: JobRun, *, brief: bool = False) -> dict[str, Any]:
    """The JSON document of a run; `brief` leaves out attempts, result and traceback."""
    plain = ("id", "job", "occurrence", "state", "path", "reason", "arguments")
    document = {name: getattr(run, name) for name in plain}
    document["error"] = _error(run, brief=brief)
    document |= {name: getattr(run, name) for name in ("requested_by", "late", "duration_ms")}
    times = ("due_at", "queued_at", "started_at", "finished_at", "retry_at")
    document |= {name: _iso(getattr(run, name)) for name in times}
    document["cancel_requested"] = run.cancel_requested
    if not brief:
        document["result"] = run.result
        document["progress"] = _progress(run.attempts)
        document["attempts"] = [_attempt_document(attempt) for attempt in run.attempts]
    return document


def _attempt_document(attempt: JobAttempt) -> dict[str, Any]:
    names = ("number", "path", "reason", "celery_task_id", "executor", "outcome", "decision_ms")
    document = {name: getattr(attempt, name) for name in names}
    times = ("queued_at", "started_at", "finished_at")
    document |= {name: _iso(getattr(attempt, name)) for name in times}
    return document | {"error": _error(attempt)}


def _error(row: JobRun | JobAttempt, *, brief: bool = False) -> dict[str, Any] | None:
    if row.error_code is None:
        return None
    error = {"code": row.error_code, "message": row.error_message}
    return error if brief else error | {"traceback": row.error_traceback}


def _progress(attempts: Sequence[JobAttempt]) -> dict[str, Any] | None:
    if not attempts or attempts[-1].progress_done is None:
        return None
    last = attempts[-1]
    return {
        "done": last.progress_done,
        "total": last.progress_total,
        "text": last.progress_text,
    }


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def job_documents() -> list[dict[str, Any]]:
    """The JSON documents of `flask jobs list`: every job, and every task of another name."""
    tasks = {task.name: task for task in db.session.scalars(select(PeriodicTask))}
    now = read_now(db.session())
    names = sorted({*catalogue(), *tasks})
    return [_job_document(name, tasks.get(name), now) for name in names]


def _job_document(name: str, task: PeriodicTask | None, now: datetime) -> dict[str, Any]:
    job = catalogue().get(task.job if task else name)
    dues = next_dues(task, now) if task and task.enabled else []
    return {
        "name": name,
        "title": str(job.title) if job else name,
        "queue": job.queue if job else None,
        "enabled": task.enabled if task else None,
        "trigger": terms_of(task) if task else None,
        "next": [_iso(due) for due in dues],
        "last_run": _last_run(name, task, job),
    }


def _last_run(
    name: str, task: PeriodicTask | None, job: Job[..., Any] | None
) -> dict[str, Any] | None:
    statement = select(JobRun).order_by(JobRun.id.desc()).limit(1)
    if task is not None and task.name != task.job:
        statement = statement.where(JobRun.task_id == task.id)
    else:
        statement = statement.where(JobRun.job == (job.name if job else name))
    run = db.session.scalar(statement)
    return run_document(run, brief=True) if run else None
