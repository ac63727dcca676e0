"""What the ledger costs on Celery: every figure beside bare Celery, measured in turns with it.

Both use the same Redis, each a database of its own, so that what disturbs one disturbs both.
"""

import os
import statistics
import sys
import time
from itertools import chain, count

import pytest
from celery.signals import before_task_publish
from redis import Redis
from sqlalchemy import text

from k9ops.core.db import db
from k9ops.jobs import dispatch
from k9ops.jobs.broker import alive_key, lists_of
from tests.benchmarks.bare import celery as bare_celery
from tests.benchmarks.bare import noop, start
from tests.benchmarks.conftest import SCALE
from tests.benchmarks.starts import STARTS
from tests.support.celery_workers import CeleryProcess
from tests.support.redis import RedisServer
from tests.support.waiting import wait_until

#: The best of some rounds on each side: what else the machine does only ever adds time.
DISPATCH_ROUNDS, CALLS = 12, max(100, int(500 * SCALE))
START_ROUNDS, STARTED = 1, max(20, int(300 * SCALE))
ROUNDS, MESSAGES = 2, max(50, int(1500 * SCALE))
PAUSE = 0.02

FINISHED = """
SELECT count(*) FILTER (WHERE state = 'succeeded' AND path = 'celery') AS succeeded,
    extract(epoch FROM max(finished_at) - min(started_at)) AS seconds
FROM job_runs WHERE id >= :first
"""


@pytest.fixture(scope="module")
def bench_redis():
    """One for all, since bare Celery keeps the connections that it has once made."""
    server = RedisServer().start()
    bare_celery.conf.broker_url = server.url(2)
    yield server
    server.close()


@pytest.fixture
def redis_server(bench_redis):
    bench_redis.client().flushall()
    return bench_redis


@pytest.fixture
def unit(make_instance, make_app, database_url, redis_server, monkeypatch):
    """The application here, and the settings with which its workers start; bare Celery beside it.

    The application is in context for the whole test.
    """
    settings = {
        "celery_broker_url": redis_server.url(1),
        "jobs_extra_modules": ("tests.benchmarks.jobs",),
    }
    monkeypatch.setenv("BENCH_REDIS_URL", redis_server.url(3))
    monkeypatch.setenv("BENCH_BROKER_URL", redis_server.url(2))
    with make_app(**settings).app_context():
        yield make_instance(database_url=database_url, **settings)


@pytest.fixture
def starts(redis_server):
    """The times at which jobs tell that they started, as they come."""
    client = Redis.from_url(redis_server.url(3), socket_timeout=60)
    return (float(client.blpop(STARTS, timeout=30)[1]) for _ in count())


@pytest.fixture
def start_worker(unit):
    """Start a worker with two children, ours or the bare one, by the same command line."""

    def worker(app, queue, env):
        name = f"{app}-{len(unit.celery)}"
        words = ["-A", app, "worker", "-Q", queue, "-c", "2", "-n", f"{name}@%h"]
        command = [sys.executable, "-m", "celery", *words]
        log = unit.folder / f"{name}.log"
        unit.celery.append(CeleryProcess.start(command, env, log))
        return unit.celery[-1]

    return worker


@pytest.fixture
def our_worker(unit, start_worker):
    return lambda: start_worker("k9ops.worker:celery", "k9_tasks", unit.env())


@pytest.fixture
def bare_worker(start_worker):
    # Without our settings: Celery would take CELERY_BROKER_URL for its own.
    return lambda: start_worker("tests.benchmarks.bare:celery", "celery", dict(os.environ))


def timed(work):
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def percentile(values, share):
    return statistics.quantiles(values, n=100)[share - 1]


def in_turns(calls):
    """Times of our way and of the bare one, a call each by turns, as between other work."""
    ours, bare = [], []
    for _ in range(calls):
        ours.append(timed(lambda: dispatch("bench.noop")))
        bare.append(timed(noop.delay))
    return ours, bare


def test_dispatch(unit, redis_server, figure):
    client = redis_server.client(1)
    # The key stands for a worker: one that consumes would take the processor from both.
    client.set(alive_key("k9_tasks"), "benchmark", ex=600)
    in_turns(CALLS)  # warms both up
    rounds = [in_turns(CALLS) for _ in range(DISPATCH_ROUNDS)]
    sent = sum(map(client.llen, lists_of("k9_tasks")))
    assert sent == CALLS * (DISPATCH_ROUNDS + 1), "one fell back"
    compare(figure, "dispatch to Celery", "bare .delay()", rounds, lambda bare: bare + 3)


def compare(figure, name, bare_name, rounds, most):
    """The figures of rounds of pairs, ours and bare; `most` makes of the bare p99 what ours may be.

    The best round counts for both; what all rounds came to is told, too.
    """
    ours, bare = zip(*rounds, strict=True)
    of = f"of {len(ours[0])}, best of {len(rounds)}"
    for share in (50, 99):
        fast, bare_fast = (min(percentile(one, share) for one in side) for side in (ours, bare))
        figure(f"{bare_name}, p{share} {of}", bare_fast, "ms")
        figure(f"{name}, p{share} {of}", fast, "ms", most(bare_fast) if share == 99 else None)
    for title, side in ((bare_name, bare), (name, ours)):
        figure(f"{title}, p99 of all", percentile(list(chain(*side)), 99), "ms")


def publish_to_start(starts, submit):
    """Milliseconds from the moment before the publish to the first line of the job."""
    published = []
    listener = lambda **_: published.append(time.time())  # noqa: E731
    before_task_publish.connect(listener, weak=False)
    submit()
    before_task_publish.disconnect(listener)
    started_at = next(starts)
    time.sleep(PAUSE)
    return (started_at - published[0]) * 1000


def starts_in_turns(starts, calls):
    """Milliseconds from publish to start, ours and bare, a call each by turns."""
    ours, bare = [], []
    for _ in range(calls):
        ours.append(publish_to_start(starts, lambda: dispatch("bench.start")))
        bare.append(publish_to_start(starts, start.delay))
    return ours, bare


def test_publish_to_start(our_worker, bare_worker, redis_server, starts, figure):
    our_worker()
    bare_worker()
    wait_until(lambda: redis_server.client(1).exists(alive_key("k9_tasks")), 60)
    starts_in_turns(starts, 10)  # warms both up
    rounds = [starts_in_turns(starts, STARTED) for _ in range(START_ROUNDS)]
    compare(figure, "publish to start", "bare publish to start", rounds, lambda _bare: 15)


def our_seconds(our_worker):
    """From the first start to the last end of runs that waited for the worker."""
    runs = [dispatch("bench.noop", via="celery").id for _ in range(MESSAGES)]
    worker = our_worker()

    def ended():
        with db.engine.connect() as connection:
            found = connection.execute(text(FINISHED), {"first": min(runs)}).one()
        return found.succeeded == MESSAGES and found.seconds

    seconds = wait_until(ended, 240, pause=0.2)
    worker.stop()
    return float(seconds)


def bare_seconds(bare_worker, starts):
    """The same: a message that tells its start stands before and one behind the others."""
    start.delay()
    for _ in range(MESSAGES):
        noop.delay()
    start.delay()
    worker = bare_worker()
    seconds = -next(starts) + next(starts)
    worker.stop()
    return seconds


def test_throughput(our_worker, bare_worker, starts, figure):
    ours, bare = [], []
    for _ in range(ROUNDS):
        bare.append(bare_seconds(bare_worker, starts))
        ours.append(our_seconds(our_worker))
    messages = ROUNDS * MESSAGES
    figure(f"bare no-ops with 2 children, {messages} messages", messages / sum(bare), "/s")
    figure(f"no-op runs with 2 children, {messages} runs", messages / sum(ours), "/s")
    figure("no-op runs as a share of bare", sum(bare) / sum(ours), "", least=0.35)
