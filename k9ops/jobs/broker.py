"""Redis as the engine sees it: does it answer, which workers live, how long are its queues.

Nothing here waits longer than its socket time-outs, and callers put a deadline around it.
"""

import json
import re
import ssl
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from k9ops.core.text import clean
from k9ops.jobs.states import Reason

#: Every wait for a connection or an answer.
SOCKET_SECONDS = 0.25
#: Celery's Redis transport keeps one list per step, the plain name for step 0.
PRIORITIES = tuple(range(10))
_STEP = "\x06\x16"

PREFIX = "k9ops:"
PROBE_KEY = f"{PREFIX}probe"
WORKERS_KEY = f"{PREFIX}workers"
#: A worker says so often that it lives, and is believed for so long.
BEAT_SECONDS = 1.0
ALIVE_SECONDS = 5
#: With this much of it left the worker has missed no beat.
FRESH_SECONDS = 3.5

#: Celery's manual spells it so; redis-py knows `none`, `optional` and `required` alone.
_CELERYS_WORD = re.compile(r"ssl_cert_reqs=CERT_[A-Z]+")
#: Redis repeats what it does not understand, a password for one.
_REPEATED = re.compile(r",? with args beginning with:.*", re.DOTALL)


class BrokerFault(Exception):
    """The broker cannot be used now; `reason` says how it failed."""

    def __init__(self, reason: Reason, text: str) -> None:
        self.reason = reason
        self.text = clean(_REPEATED.sub("", text), 300)
        super().__init__(self.text)


@dataclass(frozen=True)
class Worker:
    """A worker as it told last, at most `ALIVE_SECONDS` ago."""

    name: str
    queues: tuple[str, ...] = ()
    pool: str = ""
    concurrency: int = 0
    active: int = 0
    processed: int = 0
    pid: int = 0
    started_at: str = ""


@dataclass(frozen=True)
class View:
    """What one look at the broker found."""

    workers: tuple[Worker, ...] = ()
    lengths: dict[str, int] = field(default_factory=dict)


def alive_key(queue: str) -> str:
    """The key that exists while a worker listens to the queue."""
    return f"{PREFIX}alive:{queue}"


def worker_key(name: str) -> str:
    """The key under which a worker tells of itself."""
    return f"{PREFIX}worker:{name}"


def lists_of(queue: str) -> list[str]:
    """The Redis lists that together are the queue, the most urgent first."""
    return [f"{queue}{_STEP}{step}" if step else queue for step in PRIORITIES]


def connect(url: str, seconds: float = SOCKET_SECONDS) -> Any:
    """A client with bounded waits that never tries twice; opens no connection yet."""
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    from k9ops.jobs.redis_connections import Connection, SSLConnection

    tls = url.startswith("rediss:")
    return redis.Redis.from_url(
        _CELERYS_WORD.sub(lambda found: found[0].replace("CERT_", "").lower(), url),
        connection_class=SSLConnection if tls else Connection,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )


class Broker:
    """The broker at `url`."""

    def __init__(self, url: str) -> None:
        self._client = connect(url)

    def has_worker(self, queue: str, *, fresh: bool = False) -> bool:
        """Whether a worker listens to the queue; with `fresh`, one that has missed no beat.

        Writes first, so that a broker which takes no message is found out.
        """
        with self._client.pipeline(transaction=False) as pipe:
            pipe.set(PROBE_KEY, "1", ex=60)
            pipe.pttl(alive_key(queue))
            _written, left_ms = pipe.execute()
        return int(left_ms) > (FRESH_SECONDS * 1000 if fresh else 0)

    def look(self, queues: Iterable[str]) -> View:
        """Live workers, and the number of messages of each queue.

        Writes first, as `has_worker` does.
        """
        self._client.set(PROBE_KEY, "1", ex=60)
        names = sorted(self._client.smembers(WORKERS_KEY))
        told = self._client.mget([worker_key(name) for name in names]) if names else []
        gone = [name for name, text in zip(names, told, strict=True) if text is None]
        if gone:
            self._client.srem(WORKERS_KEY, *gone)
        return View(tuple(_worker(text) for text in told if text), dict(self._lengths(queues)))

    def _lengths(self, queues: Iterable[str]) -> Iterator[tuple[str, int]]:
        queues = list(queues)
        with self._client.pipeline(transaction=False) as pipe:
            for queue in queues:
                for name in lists_of(queue):
                    pipe.llen(name)
            found = pipe.execute()
        steps = len(PRIORITIES)
        for place, queue in enumerate(queues):
            yield queue, sum(found[place * steps : (place + 1) * steps])

    def purge(self, queue: str) -> int:
        """Remove the queue's messages; how many there were."""
        lists = lists_of(queue)
        with self._client.pipeline(transaction=True) as pipe:
            for name in lists:
                pipe.llen(name)
            pipe.delete(*lists)
            return sum(pipe.execute()[:-1])


def _worker(text: str) -> Worker:
    """What it told; another version of the application may tell more, or less."""
    told = json.loads(text)
    known = {each.name: told[each.name] for each in fields(Worker) if each.name in told}
    return Worker(**known | {"queues": tuple(told.get("queues", ()))})


def fault_of(error: BaseException) -> BrokerFault:
    """The fault that an exception of redis, kombu or the socket stands for."""
    if isinstance(error, BrokerFault):
        return error
    reasons = [reason for cause in _causes(error) if (reason := _reason_of(cause))]
    text = f"{type(error).__name__}: {error}"
    return BrokerFault(reasons[0] if reasons else Reason.BROKER_UNREACHABLE, text)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """What led to the error, the first cause first: libraries wrap it in their own."""
    chain: list[BaseException] = []
    seen: BaseException | None = error
    while seen is not None and seen not in chain:
        chain.append(seen)
        seen = seen.__cause__ or seen.__context__
    yield from reversed(chain)


def _reason_of(error: BaseException) -> Reason | None:
    from redis import exceptions

    refusals = (
        exceptions.ResponseError, exceptions.AuthenticationError, exceptions.BusyLoadingError,
        exceptions.MaxConnectionsError, exceptions.InvalidResponse, ssl.SSLError,
    )  # fmt: skip
    if isinstance(error, refusals):
        return Reason.BROKER_REFUSED
    if isinstance(error, TimeoutError | exceptions.TimeoutError):
        return Reason.BROKER_TIMEOUT
    if isinstance(error, OSError | exceptions.ConnectionError):
        return Reason.BROKER_UNREACHABLE
    return None
