"""Periodic tasks: kept equal to the code until a person edits them, paused, resumed, scheduled."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from k9ops.core.clock import read_now
from k9ops.core.db import changed, db, insert_new
from k9ops.core.errors import BadInput, Conflict, NotFound
from k9ops.core.settings import current_settings
from k9ops.core.text import clean
from k9ops.jobs.models import PeriodicTask
from k9ops.jobs.registry import Job, catalogue, get_job
from k9ops.jobs.runtime import runtime
from k9ops.jobs.signals import task_changed
from k9ops.jobs.states import Edit, Misfire, Overlap
from k9ops.jobs.triggers import Cron, Every, Trigger, check_zone, next_due, trigger_of
from k9ops.jobs.versions import keep_version, terms_of

if TYPE_CHECKING:
    from config import Settings

#: Who paused a task whose trigger the settings switch off.
BY_SETTINGS = "settings"


def sync_tasks() -> None:
    """Give each job's own trigger its row, and let rows that nobody edited follow the code.

    Safe to repeat and for several processes at once. Rows of jobs this process does not know
    stay as they are: another version of the application may know them.
    """
    settings = current_settings()
    with Session(db.engine) as session:
        for job in catalogue().values():
            trigger = job.trigger_for(settings)
            if trigger is not None:
                _follow(session, job, trigger, settings)
            else:
                _switch_off(session, job)
        session.commit()


def _follow(session: Session, job: Job[..., Any], trigger: Trigger, settings: "Settings") -> None:
    wanted = _trigger_columns(trigger, settings.unit_timezone)
    wanted |= {"misfire": str(job.misfire), "overlap": str(job.overlap)}
    now = read_now(session)
    if insert_new(session, PeriodicTask, **_new_row(job.name, job.name, wanted, now)):
        keep_version(session, PeriodicTask.name == job.name, Edit.FOLLOWED)
        return
    task = session.execute(select(PeriodicTask).where(PeriodicTask.name == job.name)).scalar_one()
    if task.edited_by is not None:
        return
    if task.paused_by == BY_SETTINGS:
        wanted |= {"enabled": True, "paused_by": None, "paused_at": None}
    if any(getattr(task, name) != value for name, value in wanted.items()):
        _change(session, task, wanted, now, Edit.FOLLOWED)


def _switch_off(session: Session, job: Job[..., Any]) -> None:
    """The settings say "not by itself" of a job that had a trigger: pause what nobody edited."""
    now = read_now(session)
    paused = session.execute(
        update(PeriodicTask)
        .where(PeriodicTask.name == job.name, PeriodicTask.edited_by.is_(None))
        .where(PeriodicTask.enabled)
        .values(enabled=False, paused_by=BY_SETTINGS, paused_at=now, updated_at=now)
        .values(version=PeriodicTask.version + 1)
    )
    if changed(paused):
        keep_version(session, PeriodicTask.name == job.name, Edit.FOLLOWED)


def pause_task(name: str, by: str) -> PeriodicTask:
    """Stop the task's occurrences; nothing is written for those that pass meanwhile."""
    with Session(db.engine, expire_on_commit=False) as session:
        task = get_task(session, name)
        now = read_now(session)
        values = {"enabled": False, "paused_by": by, "paused_at": now, "edited_by": by}
        return _commit_change(session, task, values, now, by, Edit.PAUSED)


def resume_task(name: str, by: str) -> PeriodicTask:
    """Let the task come due again, from now on: nothing is caught up."""
    with Session(db.engine, expire_on_commit=False) as session:
        task = get_task(session, name)
        values = {"enabled": True, "paused_by": None, "paused_at": None, "edited_by": by}
        return _commit_change(session, task, values, read_now(session), by, Edit.RESUMED)


def schedule_task(
    name: str,
    *,
    cron: str | None = None,
    every: float | None = None,
    timezone: str | None = None,
    misfire: str | None = None,
    overlap: str | None = None,
    by: str,
    seen: int | None = None,
) -> PeriodicTask:
    """Give the task (or the job that has none yet) a new trigger, from now on.

    `seen` is the version that the editor saw, 0 where there was no task yet.

    Raises:
        UnknownJob, BadInput: the name or a value is wrong.
        Conflict: the task was edited after it was seen.
    """
    settings = runtime().settings
    wanted = checked_terms(cron, every, timezone, misfire, overlap)
    with Session(db.engine, expire_on_commit=False) as session:
        now = read_now(session)
        is_new = insert_new(session, PeriodicTask, **_first_row(name, wanted, settings, now))
        task = get_task(session, name)
        if seen is not None and not is_new and seen != task.version:
            raise _changed_meanwhile(task)
        paused = {"enabled": True, "paused_by": None, "paused_at": None}
        values = wanted | paused | {"edited_by": by}
        return _commit_change(session, task, values, now, by, Edit.SCHEDULED)


def get_task(session: Session, name: str) -> PeriodicTask:
    """The task of this name.

    Raises:
        NotFound: there is none.
    """
    known = select(PeriodicTask).where(PeriodicTask.name == clean(name))
    task = session.execute(known).scalar()
    if task is None:
        get_job(name)
        hint = "Give it a trigger with `flask jobs schedule`."
        raise NotFound(f"{name} has no schedule.", code="no_task", field="name", hint=hint)
    return task


def _commit_change(
    session: Session,
    task: PeriodicTask,
    values: dict[str, Any],
    now: datetime,
    by: str,
    kind: Edit,
) -> PeriodicTask:
    before = terms_of(task)
    if not _change(session, task, values, now, kind, by):
        raise _changed_meanwhile(task)
    session.refresh(task)
    task_changed.send(task.name, session=session, task=task, actor=by, kind=kind, before=before)
    session.commit()
    runtime().wake()
    return task


def _changed_meanwhile(task: PeriodicTask) -> Conflict:
    hint = "Look at it again, then repeat the change."
    text = f"{task.name} was changed by someone else just now."
    return Conflict(text, code="stale", field="seen", hint=hint)


def _change(
    session: Session,
    task: PeriodicTask,
    values: dict[str, Any],
    now: datetime,
    kind: Edit,
    by: str | None = None,
) -> bool:
    """Write the edit on the version that was read; it counts from now. False: another was first."""
    following = _Row(values, task)
    statement = (
        update(PeriodicTask)
        .where(PeriodicTask.id == task.id, PeriodicTask.version == task.version)
        .values(version=task.version + 1, watermark=now, updated_at=now, **values)
        .values(next_due_at=next_due(trigger_of(following), now))
        .execution_options(synchronize_session=False)
    )
    written = changed(session.execute(statement))
    if written:
        keep_version(session, PeriodicTask.id == task.id, kind, by)
    return written


class _Row:
    """A task's row as it will be after an edit."""

    def __init__(self, values: dict[str, Any], task: PeriodicTask) -> None:
        self.cron: str | None = values.get("cron", task.cron)
        self.every_seconds: float | None = values.get("every_seconds", task.every_seconds)
        self.anchor_at: datetime = values.get("anchor_at", task.anchor_at)
        self.timezone: str = values.get("timezone", task.timezone)


def _new_row(name: str, job: str, columns: dict[str, Any], now: datetime) -> dict[str, Any]:
    trigger = trigger_from(columns)
    fixed = {"name": name, "job": job, "arguments": {}, "watermark": now}
    dates = {"next_due_at": next_due(trigger, now), "created_at": now, "updated_at": now}
    defaults = {"misfire": str(Misfire.LATEST), "overlap": str(Overlap.ALLOW)}
    return defaults | columns | fixed | dates


def _first_row(
    name: str, wanted: dict[str, Any], settings: "Settings", now: datetime
) -> dict[str, Any]:
    """The row a job without one gets at its first scheduling."""
    job = get_job(_job_of(name))
    policy = {"misfire": str(job.misfire), "overlap": str(job.overlap)}
    return _new_row(name, job.name, policy | wanted, now)


def _job_of(name: str) -> str:
    """The job of a task; a task without a row has its job's name."""
    statement = select(PeriodicTask.job).where(PeriodicTask.name == name)
    with db.engine.connect() as connection:
        return connection.execute(statement).scalar() or name


def trigger_from(columns: dict[str, Any]) -> Trigger:
    """The trigger that such columns hold."""
    if columns.get("cron") is not None:
        return Cron(columns["cron"], columns["timezone"])
    return Every(columns["every_seconds"], columns["anchor_at"])


def _trigger_columns(trigger: Trigger, zone: str) -> dict[str, Any]:
    if isinstance(trigger, Cron):
        return {
            "cron": trigger.expression,
            "every_seconds": None,
            "timezone": trigger.timezone or zone,
            "anchor_at": Every(1).anchor,
        }
    return {
        "cron": None,
        "every_seconds": trigger.seconds,
        "timezone": zone,
        "anchor_at": trigger.anchor,
    }


def checked_terms(
    cron: str | None,
    every: float | None,
    timezone: str | None = None,
    misfire: str | None = None,
    overlap: str | None = None,
) -> dict[str, Any]:
    """The columns that such a trigger and policies make.

    Raises:
        BadInput: one of them is wrong; the error names it.
    """
    if (cron is None) == (every is None):
        raise BadInput("Give either a crontab expression or an interval.", field="cron")
    zone = check_zone(timezone) if timezone else runtime().settings.unit_timezone
    trigger = Cron(cron, zone) if cron is not None else Every(every or 0)
    if next_due(trigger, Every(1).anchor) is None:
        raise BadInput(f"{cron!r} never comes due.", code="bad_cron", field="cron")
    columns = _trigger_columns(trigger, zone)
    if misfire is not None:
        columns["misfire"] = _word("misfire", misfire, Misfire)
    if overlap is not None:
        columns["overlap"] = _word("overlap", overlap, Overlap)
    return columns


def _word(field: str, value: str, words: Iterable[str]) -> str:
    known = [str(word) for word in words]
    if value not in known:
        hint = f"Use {', '.join(known)}."
        raise BadInput(f"Unknown {field} policy {value!r}.", field=field, hint=hint)
    return value
