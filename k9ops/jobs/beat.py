"""Celery Beat over the rows of the ledger: it only wakes, `fire` decides, as for every ticker."""

import logging
from contextlib import AbstractContextManager
from typing import Any

from celery.beat import Scheduler
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from k9ops.core.clock import read_now
from k9ops.core.db import db
from k9ops.core.settings import current_settings
from k9ops.jobs.due import Firing
from k9ops.jobs.models import PeriodicTask
from k9ops.jobs.registry import catalogue
from k9ops.jobs.runtime import runtime
from k9ops.jobs.tasks import sync_tasks

logger = logging.getLogger(__name__)

#: While the database is away it is asked again so often.
_AWAY_SECONDS = 1.0
#: What is still due after it was fired is held by another process, or came due just now.
_AGAIN_SECONDS = 0.1


class DatabaseScheduler(Scheduler):
    """Fires what is due of the enabled periodic tasks.

    A change of a row is noticed within CELERY_BEAT_DB_SCHEDULER_SYNC_EVERY_SECONDS. Last run and
    total count stand on the row, written by `fire` itself: nothing is kept here that could be
    lost or written twice. Several of these, beside other tickers, are harmless.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        #: The settings that the rows of the tasks follow.
        self._synced: object = None
        self._away = False
        super().__init__(*args, **kwargs)
        with self._context():
            self._firing = Firing(db.engine, runtime().settings.jobs_late_seconds)

    def setup_schedule(self) -> None:
        """Nothing to set up: the rows are the schedule."""

    def tick(self, *_args: Any, **_options: Any) -> float:
        """Fire what is due; the seconds to sleep."""
        try:
            with self._context():
                seconds = self._fire_due()
        except SQLAlchemyError as error:
            if not self._away:
                logger.warning("the database cannot be used: %s", error)
            self._away = True
            return _AWAY_SECONDS
        self._away = False
        return seconds

    def should_sync(self) -> bool:
        """Nothing is held back."""
        return False

    def close(self) -> None:
        """Close the connections to the database."""
        with self._context():
            db.session.remove()
            db.engine.dispose()

    def _fire_due(self) -> float:
        if self._synced is not (settings := current_settings()):
            sync_tasks()
            self._synced = settings
        self._firing.fire_due()
        return self._pause()

    def _pause(self) -> float:
        """Until the next due time, but never past the next look at the rows."""
        settings = runtime().settings
        longest = min(
            settings.celery_beat_db_scheduler_sync_every_seconds,
            settings.celery_beat_db_scheduler_max_interval_seconds,
        )
        with db.engine.connect() as connection:
            now = read_now(connection)
            due = connection.scalar(_next_due(self._firing.senseless))
        if due is None:
            return longest
        left = (due - now).total_seconds()
        return min(longest, left if left > 0 else _AGAIN_SECONDS)

    def _context(self) -> AbstractContextManager[Any]:
        context: AbstractContextManager[Any] = self.app.flask_app.app_context()
        return context


def _next_due(without: set[int]) -> Any:
    fireable = (PeriodicTask.job.in_(catalogue()), PeriodicTask.id.not_in(without))
    return select(func.min(PeriodicTask.next_due_at)).where(PeriodicTask.enabled, *fireable)
