"""What makes a Celery worker one of ours: it tells that it lives, and it drains in time.

Connected to Celery by `prepare_worker`, before a worker starts.
"""

import json
import logging
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from celery import Celery, bootsteps, signals
from celery.worker import state
from flask import Flask

from k9ops.core.clock import utcnow
from k9ops.core.db import db
from k9ops.core.logs import init_logging
from k9ops.jobs import drain
from k9ops.jobs.broker import (
    ALIVE_SECONDS,
    BEAT_SECONDS,
    WORKERS_KEY,
    Worker,
    alive_key,
    connect,
    fault_of,
    worker_key,
)
from k9ops.jobs.runtime import runtime

logger = logging.getLogger(__name__)

_EVENTS_SECONDS, _EVENTS_AT_ONCE = 0.5, 200
POOLS = ("prefork", "threads", "solo")
#: After its runs are given back, a process that still hangs on one is ended.
_HANG_SECONDS = 4
#: Another worker's next beat restores the key; with no other it is gone.
_WITHDRAWN_SECONDS = 1.2


class Presence(bootsteps.StartStopStep):
    """Says each second that the worker lives, while its consumer is connected.

    From a plain thread, so that a busy worker says so too.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._stopped: threading.Event | None = None

    def start(self, consumer: Any) -> None:
        self._stopped = threading.Event()
        queues = tuple(sorted(consumer.app.amqp.queues.consume_from))
        client = connect(consumer.app.conf.broker_url, seconds=BEAT_SECONDS)
        arguments = (consumer, queues, client, self._stopped)
        threading.Thread(target=_beat, args=arguments, name="presence", daemon=True).start()
        # Ctrl-C ends a worker as SIGTERM does; Celery would report it as a failure.
        signal.signal(signal.SIGINT, signal.getsignal(signal.SIGTERM))
        if strange := set(queues) - {queue.name for queue in consumer.app.conf.task_queues}:
            logger.warning("-Q: no job uses %s", ", ".join(map(repr, sorted(strange))))
        logger.info("%s is ready for %s", consumer.hostname, ", ".join(queues))

    def stop(self, consumer: Any) -> None:
        if self._stopped is not None:
            self._stopped.set()

    shutdown = stop
    terminate = stop


class EventsInTime(bootsteps.StartStopStep):
    """Sends task events twice a second; Celery would in each turn of its loop.

    That took a third of a worker's throughput; they arrive as `task.multi`, as before.
    """

    requires = ("celery.worker.consumer.events:Events",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._timer: Any = None

    def start(self, consumer: Any) -> None:
        events = consumer.event_dispatcher
        if events.on_send_buffered is not None:
            events.on_send_buffered, events.buffer_limit = None, _EVENTS_AT_ONCE
            self._timer = consumer.timer.call_repeatedly(_EVENTS_SECONDS, _flush, (events,))

    def stop(self, consumer: Any) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            _flush(consumer.event_dispatcher)

    shutdown = stop


def _flush(events: Any) -> None:
    """A broker that is away keeps them for later; the consumer's own connection tells of it."""
    try:
        events.flush()
    except Exception as error:  # noqa: BLE001  (events are for onlookers)
        logger.debug("task events wait: %s", fault_of(error).text)


def _beat(consumer: Any, queues: tuple[str, ...], client: Any, stopped: threading.Event) -> None:
    """Tell and wait until stopped; an outage is said once."""
    started_at, away = utcnow().isoformat(timespec="seconds"), False
    while not stopped.is_set():
        try:
            _tell(client, _describe(consumer, queues, started_at))
        except Exception as error:  # noqa: BLE001  (told again at the next beat)
            if not away:
                logger.warning("presence could not be told: %s", fault_of(error).text)
            away = True
        else:
            away = False
        stopped.wait(BEAT_SECONDS)
    with suppress(Exception):
        _withdraw(client, consumer.hostname, queues)
    client.close()


def _describe(consumer: Any, queues: tuple[str, ...], started_at: str) -> Worker:
    pool = consumer.pool
    return Worker(
        name=consumer.hostname,
        queues=queues,
        pool=type(pool).__module__.rpartition(".")[2] if pool else "",
        concurrency=int(getattr(pool, "num_processes", 0) or 0),
        active=len(state.active_requests),
        processed=sum(state.total_count.values()),
        pid=os.getpid(),
        started_at=started_at,
    )


def _tell(client: Any, worker: Worker) -> None:
    with client.pipeline(transaction=False) as pipe:
        for queue in worker.queues:
            pipe.set(alive_key(queue), worker.name, ex=ALIVE_SECONDS)
        pipe.set(worker_key(worker.name), json.dumps(asdict(worker)), ex=ALIVE_SECONDS)
        pipe.sadd(WORKERS_KEY, worker.name)
        pipe.execute()


def _withdraw(client: Any, name: str, queues: tuple[str, ...]) -> None:
    with client.pipeline(transaction=False) as pipe:
        for queue in queues:
            pipe.pexpire(alive_key(queue), int(_WITHDRAWN_SECONDS * 1000))
        pipe.delete(worker_key(name))
        pipe.srem(WORKERS_KEY, name)
        pipe.execute()


class Drain:
    """Bounds a worker's warm shutdown: after the grace its runs are given back.

    A pipe tells the children of the pool: they read its end when the parent closes it.
    """

    def __init__(self, flask_app: Flask, grace_seconds: float) -> None:
        self._flask_app = flask_app
        self._grace = grace_seconds
        self._read, self._write = os.pipe()
        self._begun = False

    def begin(self, **_signal: Any) -> None:
        """The worker was told to stop: its grace begins."""
        if not self._begun:
            self._begun = True
            timer = threading.Timer(self._grace, self._end_grace)
            timer.daemon = True
            timer.start()

    def watch_in_child(self) -> None:
        """In a child of the pool: give its run back when the parent says so."""
        with suppress(OSError):
            os.close(self._write)
        threading.Thread(target=self._wait_in_child, name="drain", daemon=True).start()

    def _wait_in_child(self) -> None:
        os.read(self._read, 1)  # nothing is ever written: it ends when the parent closes
        self._give_back()

    def _end_grace(self) -> None:
        os.close(self._write)
        self._give_back()  # pools solo and threads execute in this very process

    def _give_back(self) -> None:
        with self._flask_app.app_context():
            engine = runtime()
            contexts = engine.keeper.contexts
            drain.give_back_all(engine, lambda: bool(contexts()))
        _end_if_hung(lambda: bool(contexts()))


def _end_if_hung(busy: Callable[[], bool]) -> None:
    """End this process if a job does not heed: its run is another's by now."""
    if drain.wait_while(busy, _HANG_SECONDS):
        logger.warning("a job does not stop; its process ends")
        os._exit(0)


def prepare_worker(celery: Celery, flask_app: Flask) -> None:
    """Hang presence, drain and the care for forks into the workers of this application."""
    celery.steps["consumer"].update({Presence, EventsInTime})
    with flask_app.app_context():
        settings = runtime().settings
    ending = Drain(flask_app, settings.jobs_drain_seconds)

    def check_start(options: dict[str, Any], **_signal: Any) -> None:
        pool = getattr(options.get("pool"), "__module__", "") or str(options.get("pool") or "")
        if any(word in pool for word in ("eventlet", "gevent")):
            raise SystemExit(f"-P: this pool is not supported. Use {', '.join(POOLS)}.")
        if not settings.celery_broker_url:
            raise SystemExit("CELERY_BROKER_URL: a worker needs it, or REDIS_URL, or REDIS_HOST.")

    parent = os.getpid()

    def prepare_child(**_signal: Any) -> None:
        if os.getpid() == parent:  # pool solo has no children, and sends the signal all the same
            return
        with flask_app.app_context():
            # A connection of the parent is poison in a child; there should be none.
            db.engine.dispose(close=False)
            runtime().is_pool_child = True
        ending.watch_in_child()

    # Ours alone: Celery's would swallow what is logged, and cut the lines kept with a run.
    signals.setup_logging.connect(lambda **_signal: init_logging(), weak=False)
    signals.celeryd_init.connect(check_start, weak=False)
    signals.worker_process_init.connect(prepare_child, weak=False)
    signals.worker_shutting_down.connect(ending.begin, weak=False)
