"""`task-sent`, for Flower and exporters: told beside a decision and not inside it.

Who publishes leaves the event here; a thread tells what has gathered, many at once, as a
worker does with its own. Best effort, like every event of Celery.
"""

import atexit
import logging
import threading
import time
from collections import deque
from typing import Any

from celery import Celery

from k9ops.jobs.broker import fault_of
from k9ops.jobs.deadline import deadline

#: Events gather for so long, and no more of them than this: many at once cost little each.
_GATHER_SECONDS, _KEPT_AT_MOST = 1.0, 1000
#: After so many a dispatch of another thread goes first. Letting it costs as much as four events.
_IN_A_ROW = 20
#: A process that ends waits so long for its last events.
_LAST_SECONDS = 0.3

logger = logging.getLogger(__name__)


class SentEvents:
    """Takes what Celery's publisher tells an event dispatcher."""

    def __init__(self, celery: Celery) -> None:
        self._celery = celery
        self._events: deque[dict[str, Any]] = deque(maxlen=_KEPT_AT_MOST)
        self._any = threading.Event()
        self._thread: threading.Thread | None = None

    def publish(self, _kind: str, fields: dict[str, Any], _producer: Any, **_options: Any) -> None:
        """Keep the event for the next telling."""
        self._events.append(fields | {"timestamp": time.time()})
        self._any.set()
        if self._thread is None or not self._thread.is_alive():  # none yet, or left by a fork
            self._thread = threading.Thread(target=self._tell_on, name="sent-events", daemon=True)
            self._thread.start()
            atexit.register(self._tell_last)

    def _tell_on(self) -> None:
        while self._any.wait():
            time.sleep(_GATHER_SECONDS)
            self._any.clear()
            self._tell()

    def _tell_last(self) -> None:
        with deadline(_LAST_SECONDS):
            self._tell()

    def _tell(self) -> None:
        events = [self._events.popleft() for _ in range(len(self._events))]
        if not events:
            return
        try:
            with self._celery.amqp.producer_pool.acquire(block=True, timeout=1) as producer:
                self._send(producer, events)
        except Exception as error:  # noqa: BLE001  (events are for onlookers)
            logger.debug("%s sent events are lost: %s", len(events), fault_of(error).text)

    def _send(self, producer: Any, events: list[dict[str, Any]]) -> None:
        options = {"channel": producer.channel, "buffer_limit": _KEPT_AT_MOST}
        with self._celery.events.Dispatcher(
            producer.connection, buffer_group={"task"}, buffer_while_offline=False, **options
        ) as dispatcher:
            for number, fields in enumerate(events, 1):
                dispatcher.send("task-sent", **fields)
                if number % _IN_A_ROW == 0:
                    time.sleep(0)
            dispatcher.flush()
