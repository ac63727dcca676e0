"""The Celery application: bounded where it publishes, patient where a worker reads.

Its settings are the unit's; why each is as it is stands beside it.
"""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from celery import Celery
from kombu.entity import Exchange, Queue

from k9ops.jobs.broker import PRIORITIES, SOCKET_SECONDS
from k9ops.jobs.deadline import seconds_left
from k9ops.jobs.queues import queue_names, queue_of
from k9ops.jobs.registry import Job
from k9ops.jobs.sent_events import SentEvents

if TYPE_CHECKING:
    from config import Settings

#: Our messages carry the run's id under this header, and nothing else that counts.
RUN_HEADER = "k9ops_run"
HARD_LIMIT_SECONDS, SOFT_LIMIT_SECONDS = 30 * 60, 25 * 60
#: A worker's own reads may take their time; a frozen broker must not hold its exit for ever.
_READ_SECONDS = 30
#: Between two tries of a worker to reach a broker that is away.
_RECONNECT_SECONDS = 1
#: Ten threads of a process publish at once; another waits for one of them.
_PRODUCER_SECONDS = 1
#: Not often: a message given to a child just as it ends waits 1 to 4 s for the next one.
_CHILD_TASKS, _CHILD_KILOBYTES = 1000, 512 * 1024
#: Longer than any run. What it would redeliver the ledger has rescued long before.
_VISIBILITY_SECONDS = 12 * 3600


@dataclass(frozen=True)
class Message:
    """What is sent: a hint that the run waits. The truth is its row."""

    run_id: str
    job: str
    queue: str
    #: 0 to 9; 9 is taken first.
    priority: int
    task_id: str


class K9Celery(Celery):
    """Celery whose readers wait longer than its publishers, who wait for no event."""

    @cached_property
    def sent_events(self) -> SentEvents:
        return SentEvents(self)

    def connection_for_read(self, url: str | None = None, **kwargs: Any) -> Any:
        options = {"socket_timeout": _READ_SECONDS, "socket_connect_timeout": 5}
        kwargs.setdefault("transport_options", options)
        return _soon_back(super().connection_for_read(url, **kwargs))

    def connection_for_write(self, url: str | None = None, **kwargs: Any) -> Any:
        if str(url or self.conf.broker_write_url).startswith("redis"):
            kwargs.setdefault("transport", "k9ops.jobs.redis_transport:Transport")
        return _soon_back(super().connection_for_write(url, **kwargs))


def _soon_back(connection: Any) -> Any:
    """The connection, tried again each second while the broker is away.

    kombu's pauses grow to half a minute, and so long would a worker stay away from a broker that
    is back.
    """
    often = {"interval_start": _RECONNECT_SECONDS, "interval_step": 0}
    connection.ensure_connection = partial(connection.ensure_connection, **often)
    return connection


def make_celery(settings: "Settings", jobs: Iterable[Job[..., Any]]) -> K9Celery:
    """The application for these settings; opens no connection."""
    app = K9Celery("k9ops", set_as_current=False)
    jobs = list(jobs)
    app.conf.update(_general(settings), **_worker(), **_transport(settings))
    app.conf.update(
        task_queues=[
            Queue(name, Exchange(name), routing_key=name) for name in queue_names(settings, jobs)
        ],
        task_routes={job.name: _route(settings, job) for job in jobs},
    )
    return app


def celery_priority(priority: int) -> int:
    """Celery's Redis transport takes 0 first, a job's priority means 9 first."""
    return PRIORITIES[-1] - priority


def publish(app: K9Celery, message: Message) -> None:
    """Put the message into its queue. An error does not mean that it is not there."""
    seconds = min(seconds_left(), _PRODUCER_SECONDS)
    with app.producer_pool.acquire(block=True, timeout=seconds) as producer:
        app.send_task(
            message.job,
            task_id=message.task_id,
            queue=message.queue,
            priority=celery_priority(message.priority),
            headers={RUN_HEADER: message.run_id},
            ignore_result=True,
            retry=False,
            declare=(),  # its worker declares it
            event_dispatcher=app.sent_events,
            producer=producer,
        )


def _route(settings: "Settings", job: Job[..., Any]) -> dict[str, Any]:
    return {"queue": queue_of(settings, job), "priority": celery_priority(job.priority)}


def _general(settings: "Settings") -> dict[str, Any]:
    return {
        "accept_content": ["json"],
        "task_serializer": "json",
        "result_serializer": "json",
        "timezone": settings.celery_timezone,
        "enable_utc": True,
        "task_default_queue": settings.celery_task_default_queue,
        "task_default_priority": celery_priority(5),
        "task_inherit_parent_priority": False,
        "task_time_limit": HARD_LIMIT_SECONDS,
        "task_soft_time_limit": SOFT_LIMIT_SECONDS,
        # The ledger is the result: a sick result backend must not hold a publisher.
        "task_ignore_result": True,
        "task_always_eager": settings.celery_task_always_eager,
        "task_send_sent_event": True,
        "result_expires": 24 * 3600,
        "beat_scheduler": "k9ops.jobs.beat:DatabaseScheduler",
        "beat_max_loop_interval": settings.celery_beat_db_scheduler_max_interval_seconds,
    }


def _worker() -> dict[str, Any]:
    return {
        "worker_send_task_events": True,
        "worker_hijack_root_logger": False,
        # A message waits in the queue, where any worker gets it, and not behind a busy child.
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": True,
        # An early ack, because the ledger rescues what a worker loses, and sooner.
        "task_acks_late": False,
        "worker_max_tasks_per_child": _CHILD_TASKS,
        "worker_max_memory_per_child": _CHILD_KILOBYTES,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "broker_connection_retry_on_startup": True,
        # However long the outage, a worker comes back from it; from a broker that refuses too.
        "broker_connection_max_retries": None,
        "broker_channel_error_retry": True,
    }


def _transport(settings: "Settings") -> dict[str, Any]:
    bounded = {"socket_timeout": SOCKET_SECONDS, "socket_connect_timeout": SOCKET_SECONDS}
    # Without max_retries=0 here, task_publish_retry=False makes a refused connection slower.
    once = {"max_retries": 0, "interval_start": 0, "interval_step": 0, "interval_max": 0}
    order = {"priority_steps": list(PRIORITIES), "queue_order_strategy": "priority"}
    options = {"retry_on_timeout": False, "visibility_timeout": _VISIBILITY_SECONDS}
    return {
        # Without a broker nothing is sent; `.apply()` works all the same.
        "broker_url": settings.celery_broker_url or "memory://",
        "broker_use_ssl": _tls(settings.celery_broker_url),
        "broker_connection_timeout": SOCKET_SECONDS,
        "broker_pool_acquire_timeout": _PRODUCER_SECONDS,
        "broker_transport_options": {**bounded, **once, **order, **options},
        "task_publish_retry": False,
        "result_backend": settings.celery_result_backend or None,
        "redis_backend_use_ssl": _tls(settings.celery_result_backend),
        "redis_socket_timeout": SOCKET_SECONDS,
        "redis_socket_connect_timeout": SOCKET_SECONDS,
        "redis_retry_on_timeout": False,
        "result_backend_transport_options": {"retry_policy": {"timeout": 1, "max_retries": 0}},
    }


def _tls(url: str) -> dict[str, Any] | None:
    """Options of a `rediss://` address: the certificate is checked unless the address says not."""
    parts = urlsplit(url)
    if parts.scheme != "rediss":
        return None
    given = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    levels = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}
    options: dict[str, Any] = {
        name: text for name, text in given.items() if name.startswith("ssl_")
    }
    wanted = given.get("ssl_cert_reqs", "required").lower().removeprefix("cert_")
    return options | {"ssl_cert_reqs": levels.get(wanted, ssl.CERT_REQUIRED)}
