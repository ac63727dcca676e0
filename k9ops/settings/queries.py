"""Which schedules do not follow the settings."""

from collections.abc import Iterable

from sqlalchemy import select

from k9ops.core.db import db
from k9ops.jobs.models import PeriodicTask


def edited_tasks(names: Iterable[str]) -> dict[str, str]:
    """Of these tasks those whose schedule a person changed or paused, with who it was."""
    statement = select(PeriodicTask.name, PeriodicTask.edited_by).where(
        PeriodicTask.name.in_(list(names)), PeriodicTask.edited_by.is_not(None)
    )
    return {name: by for name, by in db.session.execute(statement) if by}
