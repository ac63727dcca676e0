"""The versions of a periodic task: what held from one edit to the next, and who made it so."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, insert, literal, select
from sqlalchemy.orm import Session

from k9ops.core.db import db
from k9ops.jobs.models import PeriodicTask, TaskVersion
from k9ops.jobs.states import Edit

#: What a person decides of a schedule.
TERMS = ("cron", "every_seconds", "timezone", "misfire", "overlap")
_KEPT = ("version", "anchor_at", "enabled", *TERMS)


def terms_of(task: PeriodicTask | TaskVersion) -> dict[str, Any]:
    """A task's trigger and policies as JSON values."""
    return {name: getattr(task, name) for name in TERMS}


def keep_version(
    session: Session, which: ColumnElement[bool], kind: Edit, by: str | None = None
) -> None:
    """Keep what these tasks are now, in the transaction that edited them."""
    kept = [getattr(PeriodicTask, name) for name in _KEPT]
    rows = select(
        PeriodicTask.id, PeriodicTask.updated_at, literal(str(kind)), literal(by), *kept
    ).where(which)
    names = ["task_id", "at", "kind", "by", *_KEPT]
    session.execute(insert(TaskVersion).from_select(names, rows))


def versions_of(task: PeriodicTask, limit: int, before: int | None = None) -> list[TaskVersion]:
    """The task's versions, newest first, from before version `before`."""
    statement = select(TaskVersion).where(TaskVersion.task_id == task.id)
    if before is not None:
        statement = statement.where(TaskVersion.version < before)
    found: Sequence[TaskVersion] = db.session.scalars(
        statement.order_by(TaskVersion.version.desc()).limit(limit)
    ).all()
    return list(found)
