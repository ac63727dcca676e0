"""Whether the system can work, told within two seconds whatever the database does."""

import logging
import time
from collections.abc import Callable
from dataclasses import asdict
from threading import Lock, Thread
from typing import Any

from flask import Flask, current_app
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from k9ops.core.db import db
from k9ops.core.health import DEGRADED, DOWN, OFF, OK, Check, registered_checks
from k9ops.core.settings import current_settings
from k9ops.jobs.runtime import runtime
from k9ops.monitoring.queries import overdue_seconds
from k9ops.monitoring.words import REASON_SENTENCES
from k9ops.monitoring.workers import (
    Celery,
    known_celery,
    seconds_until,
    stuck_runs,
    waiting_runs,
)

#: How long a caller waits for an answer.
PATIENCE_SECONDS = 2.0
#: A tick may come this much later than "late" before anybody is told.
_TICK_GRACE_SECONDS = 5

log = logging.getLogger(__name__)
_lock = Lock()


def readiness() -> dict[str, Any]:
    """The document of `/readyz`."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    found = _current_look(app).wait()
    checks = {name: found.get(name) or _unanswered(name) for name in _checks()}
    states = {check.status for check in checks.values()}
    worst = next((status for status in (DOWN, DEGRADED) if status in states), OK)
    return {"status": worst, "checks": {name: asdict(check) for name, check in checks.items()}}


class _Look:
    """One round of checks, in a thread of its own: a frozen database never answers."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._found: dict[str, Check] = {}
        self._began = time.monotonic()
        self._thread = Thread(target=self._run, name="readyz", daemon=True)
        self._thread.start()

    @property
    def is_over(self) -> bool:
        return not self._thread.is_alive()

    def wait(self) -> dict[str, Check]:
        """What was found until the caller's patience ends."""
        self._thread.join(max(0.0, self._began + PATIENCE_SECONDS - time.monotonic()))
        return dict(self._found)

    def _run(self) -> None:
        with self._app.app_context():
            for name, check in _checks().items():
                self._found[name] = _ask(name, check)


def _current_look(app: Flask) -> _Look:
    """A look that hangs is shared, so that impatient callers never pile up threads."""
    with _lock:
        look: _Look | None = app.extensions.get("k9ops.look")
        if look is None or look.is_over:
            look = app.extensions["k9ops.look"] = _Look(app)
        return look


def _ask(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except SQLAlchemyError:
        return _unanswered(name)
    except Exception:  # one part's fault must not hide the others' state
        log.exception("the check of %s failed", name)
        return Check(DEGRADED, "This check failed; the log says why.")


def _unanswered(name: str) -> Check:
    if name == "database":
        return Check(DOWN, "The database does not answer.")
    return Check(DEGRADED, "Not known: there was no answer in time.")


def _checks() -> dict[str, Callable[[], Check]]:
    """Every check by its name; the database is first, because others need it."""
    own = {
        "database": _database,
        "broker": _broker,
        "worker": _worker,
        "scheduler": _scheduler,
        "last_backup": lambda: Check(OFF, "Backups are not part of this application."),
        "documents": lambda: Check(OFF, "Documents are not part of this application."),
    }
    return own | registered_checks()


def _database() -> Check:
    began = time.monotonic()
    db.session.execute(select(1))
    took_ms = (time.monotonic() - began) * 1000
    return Check(OK, f"{db.engine.dialect.name} answered in {took_ms:.0f} ms.")


def _broker() -> Check:
    celery = known_celery()
    if celery is None:
        return Check(OFF, "Celery is not used; everything runs in process.")
    told = [_answer(celery), _open_breaker(celery) if celery.breaker.is_open else ""]
    if celery.trouble:
        told.append(_stuck(celery))
    status = DEGRADED if celery.trouble else OK
    return Check(status, _sentences(told), celery.known.age_seconds)


def _answer(celery: Celery) -> str:
    age, silence = celery.known.age_seconds, celery.silence
    if silence is None:
        return f"Redis answered in {celery.known.answer_ms:.1f} ms."
    if age is None:
        return f"{REASON_SENTENCES[silence]} It has not answered since this process started."
    return f"{REASON_SENTENCES[silence]} It answered last {age:.0f} s ago."


def _open_breaker(celery: Celery) -> str:
    """Until when it is open, and why where nothing else says so."""
    left = seconds_until(celery.breaker.open_until)
    state = f"The breaker is open; asked again in {left:.0f} s."
    reason = celery.breaker.reason
    return state if celery.silence or not reason else f"{REASON_SENTENCES[reason]} {state}"


def _worker() -> Check:
    celery = known_celery()
    if celery is None:
        return Check(OFF, "Celery is not used; there are no workers.")
    age, live = celery.known.age_seconds, _live(len(celery.workers))
    if age is None:
        return Check(DEGRADED, "Not known: the broker has not answered.")
    if celery.silence:
        return Check(DEGRADED, f"Not known: {live} when the broker answered last.", age)
    if celery.unserved:
        told = [f"No live worker listens to: {', '.join(celery.unserved)}.", _stuck(celery)]
        return Check(DEGRADED, _sentences(told), age)
    return Check(OK, f"{live}; every queue has one.", age)


def _live(count: int) -> str:
    return f"{count or 'no'} worker{'' if count == 1 else 's'} live"


def _stuck(celery: Celery) -> str:
    """How many runs wait for what cannot take them; empty when none does."""
    count = stuck_runs(celery, waiting_runs())
    if not count:
        return ""
    return f"{count} run{' waits' if count == 1 else 's wait'} for Celery: the fallback is off."


def _sentences(told: list[str]) -> str:
    return " ".join(sentence for sentence in told if sentence)


def _scheduler() -> Check:
    settings = current_settings()
    if settings.jobs_scheduler == "off":
        return Check(OFF, "JOBS_SCHEDULER is off: nothing comes due by itself.")
    limit = settings.jobs_late_seconds + _TICK_GRACE_SECONDS
    service = runtime().service
    age = service.seconds_since_tick() if service else None
    if age is not None and age > limit:
        return Check(DEGRADED, f"This process has not ticked for {age:.0f} s.", age)
    overdue = overdue_seconds()
    if overdue > limit:
        return Check(DEGRADED, f"A task has been due for {overdue:.0f} s: nobody ticks.", overdue)
    detail = "Another process ticks." if age is None else "This process ticks."
    return Check(OK, detail, age)
