"""The way to Celery, with every wait bounded: ask for a worker, send a message, tell its end.

There is one per application where Celery is on. Celery itself is imported at the first message,
so that who never sends one does not wait for it.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Engine

from k9ops.jobs.breaker import Breaker
from k9ops.jobs.broker import ALIVE_SECONDS, Broker, BrokerFault, fault_of
from k9ops.jobs.deadline import deadline, within
from k9ops.jobs.queues import queue_names
from k9ops.jobs.registry import catalogue
from k9ops.jobs.states import Reason
from k9ops.jobs.watch import BrokerWatch

if TYPE_CHECKING:
    from config import Settings
    from k9ops.jobs.celery_app import K9Celery, Message

R = TypeVar("R")

#: A whole decision, asking and sending together.
DECISION_SECONDS = 0.75
#: What is left for sending, however long asking took.
_LEAST_SECONDS = 0.1
#: A worker that lived a moment ago is believed to live: a burst of runs asks for it once. Not for
#: longer, since what is sent to a worker that has just gone waits for the watch over such runs.
_BELIEVED_SECONDS = 0.2
_RESULT_SECONDS = 0.5
_SICK_RESULTS_SECONDS = 15

logger = logging.getLogger(__name__)


class Transport:
    """The broker of one application."""

    def __init__(self, settings: "Settings", engine: Engine) -> None:
        self._settings = settings
        self._app: K9Celery | None = None
        self._lock = threading.Lock()
        self._results_sick_until = 0.0
        self._believed_until: dict[str, float] = {}
        self.broker = Broker(settings.celery_broker_url)
        failures, seconds = settings.jobs_breaker_failures, settings.jobs_breaker_seconds
        self.breaker = Breaker(engine, failures, seconds)
        self.watch = BrokerWatch(self.broker, queue_names(settings, catalogue().values()))

    @property
    def celery(self) -> "K9Celery":
        """The Celery application."""
        return self.load()

    def load(self) -> "K9Celery":
        """Import and build Celery at the first call: part of a process's start, of no decision."""
        with self._lock:
            if self._app is None:
                from k9ops.jobs.celery_app import make_celery

                self._app = make_celery(self._settings, catalogue().values())
            return self._app

    def has_worker(self, queue: str, *, fresh: bool = False) -> bool:
        """Whether a live worker listens to the queue; `fresh`: one that has missed no beat.

        Raises:
            BrokerFault: the broker failed, or did a moment ago and was not asked.
        """
        if not fresh and time.monotonic() < self._believed_until.get(queue, 0.0):
            return True
        found = self._judged(lambda: self.broker.has_worker(queue, fresh=fresh), DECISION_SECONDS)
        self.breaker.answered()
        self._believed_until[queue] = time.monotonic() + _BELIEVED_SECONDS if found else 0.0
        return found

    def send(self, message: "Message", ends_at: float) -> None:
        """Send the message, until `ends_at` of the monotonic clock.

        Raises:
            BrokerFault: the broker failed. The message may be in its queue all the same.
        """
        from k9ops.jobs.celery_app import publish

        app = self.celery
        left = max(ends_at - time.monotonic(), _LEAST_SECONDS)
        self._judged(lambda: publish(app, message), left)
        self.breaker.worked()

    def look(self) -> None:
        """Refresh what is known of the broker; one that is well again closes the breaker.

        Else a quiet unit would learn of it only from its next run.
        """
        self.watch.look()
        if self.watch.known().fault is None and self.breaker.allows():
            self.breaker.answered()

    def is_away(self, fault: BrokerFault) -> bool:
        """Whether the broker is away for longer than a hiccup."""
        age = self.watch.known().age_seconds
        return fault.reason is Reason.BREAKER_OPEN or age is None or age > ALIVE_SECONDS

    def tell_end(self, task_id: str, state: str, result: Any) -> None:
        """Write how a task ended for `AsyncResult`; a sick result backend changes nothing."""
        if not self._settings.celery_result_backend:
            return
        if time.monotonic() < self._results_sick_until:
            return
        backend = self.celery.backend
        try:
            within(_RESULT_SECONDS, lambda: backend.store_result(task_id, result, state))
        except Exception as error:  # noqa: BLE001  (best effort: the ledger has the result)
            self._results_sick_until = time.monotonic() + _SICK_RESULTS_SECONDS
            logger.warning("the result backend is left alone for a while: %s", fault_of(error).text)

    def warm_up(self) -> None:
        """Pay for imports and the first connection before a decision has to."""
        app = self.celery

        def connect() -> None:
            with app.producer_pool.acquire(block=True, timeout=1) as producer:
                producer.connection.ensure_connection(max_retries=0, timeout=1)

        try:
            with deadline(DECISION_SECONDS):
                connect()
        except Exception as error:  # noqa: BLE001  (the first decision will judge it)
            logger.debug("no connection to warm up: %s", error)

    def _judged(self, ask: Callable[[], R], seconds: float) -> R:
        """The answer in time; the breaker learns of a fault."""
        if not self.breaker.allows():
            raise BrokerFault(Reason.BREAKER_OPEN, "the breaker is open")
        try:
            with deadline(seconds):
                return ask()
        except Exception as error:
            fault = fault_of(error)
            self._believed_until.clear()
            self.breaker.failed(fault)
            raise fault from error
