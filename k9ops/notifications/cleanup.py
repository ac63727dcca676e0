"""Deleting what was read long ago, beside people who read and write the same table.

The primary key is walked in ranges, one short transaction each. A range grows or shrinks with the
time that the one before took, so that whoever waits for one of its rows waits that long at most.
Nothing is remembered: what one run leaves, the next one meets.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, select
from sqlalchemy.orm import Session

from k9ops.core.clock import read_now
from k9ops.core.db import db
from k9ops.core.wal import cut_wal
from k9ops.notifications.models import Notification

#: Ids of the first range.
_FIRST_RANGE = 1_000
#: However fast it goes: behind many ids without old rows there may be as many with them.
_LONGEST_RANGE = 10_000
#: However slow: on a busy machine each transaction takes long, and shorter ones would never end.
_SHORTEST_RANGE = 250
#: SQLite's log is cut when it is larger.
_WAL_BYTES = 32 * 2**20


@dataclass(frozen=True)
class Pace:
    """How long one transaction is meant to take, and the pause after it."""

    seconds: float
    pause_seconds: float


#: SQLite has one writer at a time, who needs a gap to get in.
_PACES = {"postgresql": Pace(0.01, 0), "sqlite": Pace(0.05, 0.02)}

#: Told how many ids of how many are done, and how many rows were found; raises to stop the walk.
Progress = Callable[[int, int, int], None]


@dataclass(frozen=True)
class Cleanup:
    """What was deleted, and what is left of that age."""

    deleted: int
    left: int
    read_before: datetime


def delete_read(
    days: int, progress: Progress, *, dry_run: bool = False, budget_seconds: float
) -> Cleanup:
    """Delete what was read more than `days` days ago, by the database's clock.

    Commits each range. After `budget_seconds` it deletes no more and counts what is left, as
    `dry_run` does from the start.
    """
    session = db.session()
    read_before = read_now(session) - timedelta(days=days)
    walk = _Walk(session, read_before, progress)
    deleted = 0 if dry_run else walk.delete(budget_seconds)
    return Cleanup(deleted, walk.count(), read_before)


class _Walk:
    """A way up the primary key; deleting and counting go on where the other stopped."""

    def __init__(self, session: Session, read_before: datetime, progress: Progress) -> None:
        self._session = session
        self._engine = session.get_bind().engine
        self._pace = _PACES[self._engine.dialect.name]
        self._read_before = read_before
        self._progress = progress
        self._first, self._last = _ends(session)
        self._at = self._first
        self._range = _FIRST_RANGE

    def delete(self, budget_seconds: float) -> int:
        """Delete from here on, as long as the time lasts; returns how many."""
        deleted, stops_at = 0, time.monotonic() + budget_seconds
        while self._at <= self._last and time.monotonic() < stops_at:
            deleted += self._step(self._delete_range, deleted)
            time.sleep(self._pace.pause_seconds)
            cut_wal(self._engine, over_bytes=_WAL_BYTES)
        cut_wal(self._engine)
        return deleted

    def count(self) -> int:
        """Count from here on."""
        counted = 0
        while self._at <= self._last:
            counted += self._step(self._count_range, counted)
        return counted

    def _step(self, work: Callable[[tuple[Any, ...]], int], found: int) -> int:
        self._progress(self._at - self._first, self._last - self._first + 1, found)
        began, end = time.monotonic(), self._at + self._range
        rows = work(
            (
                Notification.id >= self._at,
                Notification.id < min(end, self._last + 1),
                Notification.read_at < self._read_before,
            )
        )
        took, self._at = time.monotonic() - began, end
        change = min(max(self._pace.seconds / took, 0.5), 2)  # one that had to wait says little
        self._range = max(_SHORTEST_RANGE, min(int(self._range * change), _LONGEST_RANGE))
        return rows

    def _delete_range(self, where: tuple[Any, ...]) -> int:
        statement = delete(Notification).where(*where)
        result = self._session.execute(statement, execution_options={"synchronize_session": False})
        self._session.commit()
        return cast("CursorResult[Any]", result).rowcount

    def _count_range(self, where: tuple[Any, ...]) -> int:
        counted = self._session.scalar(select(func.count(Notification.id)).where(*where))
        self._session.rollback()
        return counted or 0


def _ends(session: Session) -> tuple[int, int]:
    """The lowest and the highest id, each looked up by itself: SQLite scans for both at once."""
    first = session.scalar(select(func.min(Notification.id)))
    last = session.scalar(select(func.max(Notification.id)))
    session.rollback()
    return (0, -1) if first is None or last is None else (first, last)
