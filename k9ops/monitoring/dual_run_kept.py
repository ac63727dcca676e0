"""The dual run's figures as a page has them: counted at once while few, else beside the pages.

Counting a large ledger takes seconds. So a thread of this process does it, pausing all the time for
the pages, and the page shows what was counted last, with its age. It is counted anew when somebody
looks and the figures have become old.
"""

import logging
from collections.abc import Iterable
from threading import Lock, Thread
from time import monotonic, sleep
from typing import Any, NamedTuple

from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from k9ops.core.db import db
from k9ops.monitoring.dual_run import Review, is_short, review

#: So many runs are counted while the page waits.
AT_ONCE = 2000
_KEPT = "k9ops.dual_run"
#: Figures are at most so many times as old as counting them took, and never older than this.
_AGE_PER_COST, _OLDEST_SECONDS = 20, 30
#: The thread rests so long after so many rows.
_ROWS, _REST_SECONDS = 250, 0.003

log = logging.getLogger(__name__)
Key = tuple[int, str]


class _Found(NamedTuple):
    stale_at: float
    review: Review


class _Shelf:
    """What this process has counted, and what it is counting."""

    def __init__(self) -> None:
        self.found: dict[Key, _Found] = {}
        self._counting: set[Key] = set()
        self._lock = Lock()
        #: One after the other: two at a time would only be slower.
        self._turn = Lock()

    def keep(self, key: Key, *, pause: bool) -> Review:
        began = monotonic()
        made = review(*key, _resting) if pause else review(*key)
        ended = monotonic()
        age = min((ended - began) * _AGE_PER_COST, _OLDEST_SECONDS)
        self.found[key] = _Found(ended + age, made)
        return made

    def count_beside(self, app: Flask, key: Key) -> None:
        """Let a thread count, unless one does."""
        with self._lock:
            if key in self._counting:
                return
            self._counting.add(key)
        Thread(target=self._count, args=(app, key), name="dual-run", daemon=True).start()

    def _count(self, app: Flask, key: Key) -> None:
        try:
            with self._turn, app.app_context():
                self.keep(key, pause=True)
        except SQLAlchemyError as error:
            log.warning("the dual run could not be counted: %s", error)
        finally:
            self._counting.discard(key)


def recent_review(days: int, job: str = "") -> Review | None:
    """The figures of the last days, as old as they may be; None while they are being counted."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    shelf: _Shelf = app.extensions.setdefault(_KEPT, _Shelf())
    key = (days, job)
    found = shelf.found.get(key)
    if found is not None and monotonic() <= found.stale_at:
        return found.review
    if is_short(days, AT_ONCE):
        return shelf.keep(key, pause=False)
    db.session.rollback()
    shelf.count_beside(app, key)
    return found.review if found else None


def _resting(rows: Iterable[Any]) -> Iterable[Any]:
    """The rows, with pauses in which pages are served."""
    for number, row in enumerate(rows):
        if number % _ROWS == 0:
            sleep(_REST_SECONDS)
        yield row
