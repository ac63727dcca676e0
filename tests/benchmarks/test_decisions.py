"""How long it takes to know that Celery cannot, beside `try: task.delay() except: run()`.

The naive way has Celery's default settings, and a process of its own for each state of the broker.
Ours decides in one warm process, and the time is that of the whole `dispatch`, with its row.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from config import ROOT
from k9ops.jobs.broker import alive_key
from tests.support.silent_dns import SilentNameServer, why_not
from tests.support.waiting import free_port

CAP_SECONDS = 30

NAIVE = """
import sys, time
from tests.benchmarks.bare import celery, plain
celery.finalize()
celery.connection_for_write().transport  # its imports are not the broker's fault
print("ready", flush=True)
sys.stdin.readline()
began = time.perf_counter()
try:
    plain.delay()
    outcome = "sent"
except Exception:
    plain.run()
    outcome = "ran here"
print(f"{outcome} after {time.perf_counter() - began:.3f} s")
"""

OURS = """
import json, os, sys, time
from sqlalchemy import delete
from config import load_settings
from k9ops.app import create_app
from k9ops.core.db import db
from k9ops.jobs import dispatch
from k9ops.jobs.models import BrokerState
from k9ops.jobs.runtime import runtime

def warm(environment):
    os.environ.update(environment)
    app = create_app(load_settings())
    with app.app_context():
        dispatch("bench.noop", via="here")
        runtime().transport.warm_up()
    return app

def measure():
    began = time.perf_counter()
    run = dispatch("bench.noop")
    return (time.perf_counter() - began) * 1000, run.reason

apps = [warm(environment) for environment in json.loads(sys.stdin.readline())]
print("ready", flush=True)
for app in apps:
    sys.stdin.readline()
    with app.app_context():
        with db.engine.begin() as connection:
            connection.execute(delete(BrokerState))
        print(json.dumps([measure() for _ in range(4)]), flush=True)
"""


@dataclass
class State:
    """A state of the broker; `sicken` brings it about."""

    name: str
    url: str
    sicken: Callable[[], None] = lambda: None
    results: str = ""
    wrap: Callable[[list[str]], list[str]] = list
    #: What is said of a naive call that raised nothing.
    remark: str = ""
    measured: list[tuple[float, str | None]] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None

    def settings(self):
        return {"CELERY_BROKER_URL": self.url, "CELERY_RESULT_BACKEND": self.results}

    def start_naive(self):
        addresses = {"BENCH_BROKER_URL": self.url, "BENCH_RESULT_BACKEND": self.results}
        env = os.environ | {name: value for name, value in addresses.items() if value}
        self.process = talk_to(self.wrap([sys.executable, "-c", NAIVE]), env)

    def naive_outcome(self, ends_at):
        """What the naive call said until then; it is ended if it still hangs."""
        try:
            told, _ = self.process.communicate(timeout=max(0.1, ends_at - time.monotonic()))
        except subprocess.TimeoutExpired:
            return f"still blocked after {CAP_SECONDS} s"
        return " ".join(filter(None, [told.strip(), self.remark]))

    def close(self):
        self.process.kill()
        self.process.communicate()


def talk_to(command, env):
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=env, stdin=pipe, stdout=pipe, text=True)


def say(process, line="go"):
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


@pytest.fixture
def broker(make_redis):
    """A Redis where a worker seems to live; a real one would take the processor from the clocks."""

    def make(*, worker=True, **options):
        server = make_redis(**options)
        if worker:
            server.client(1).set(alive_key("k9_tasks"), "benchmark", ex=600)
        return server

    return make


@pytest.fixture
def names(tmp_path):
    """A silent name server, or None where a command cannot be given one."""
    server = None if why_not() else SilentNameServer(tmp_path)
    yield server
    if server:
        server.close()


@pytest.fixture
def states(broker, make_proxy, names):
    made = [
        State("healthy", broker().url(1)),
        State("no worker", broker(worker=False).url(1), remark="and nobody runs it"),
        *sick_servers(broker),
        State("wrong password", broker(password="right").url(1, password="wrong")),
        State("result backend down", broker().url(1), results=f"redis://127.0.0.1:{free_port()}/2"),
        *sick_networks(broker, make_proxy),
    ]
    if names:
        made.append(State("silent name server", "redis://redis.example.net/1", wrap=names.wrap))
    yield made
    for state in made:
        state.close()


def sick_servers(broker):
    ways = {
        "stopped": "stop",
        "frozen": "freeze",
        "full": "make_full",
        "read-only": "make_read_only",
        "loading its data": "make_loading",
    }
    for name, way in ways.items():
        server = broker()
        yield State(name, server.url(1), getattr(server, way))


def sick_networks(broker, make_proxy):
    for name, way in {"black hole": "freeze", "dripping peer": "drip"}.items():
        server = broker()
        proxy = make_proxy(server.port)
        yield State(name, server.url(1, port=proxy.port), getattr(proxy, way))


@pytest.fixture
def ours(make_instance, database_url, states, names):
    """Our process, warm in every state."""
    modules = ("tests.benchmarks.jobs",)
    unit = make_instance(database_url=database_url, jobs_extra_modules=modules)
    wrap = names.wrap if names else list
    process = talk_to(wrap([sys.executable, "-c", OURS]), unit.env())
    say(process, json.dumps([state.settings() for state in states]))
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.communicate()


def decide(ours, states):
    for state in states:
        say(ours)
        state.measured = json.loads(ours.stdout.readline())


def row(state, naive):
    """First decisions, and the one after three failures, which asks the broker no more."""
    *first, (later, reason) = state.measured
    open_ms = f"{later:8.1f}" if reason == "breaker_open" else f"{'—':>8}"
    worst = max(spent for spent, _ in first)
    return f"  {state.name:<20} {naive:<40} {worst:8.1f} {open_ms}  {first[0][1] or 'celery'}"


def test_decision_per_state(ours, states, say_line, figure):
    for state in states:
        state.sicken()
        state.start_naive()
    for state in states:
        assert state.process.stdout.readline() == "ready\n"
    for state in states:
        say(state.process)
    ends_at = time.monotonic() + CAP_SECONDS
    time.sleep(1)  # the quick ones are done, the others wait: the processor is free
    decide(ours, states)
    say_line(f"  {'broker':<20} {'naive':<40} {'ours, ms':>8} {'open, ms':>8}  decided")
    for state in states:
        say_line(row(state, state.naive_outcome(ends_at)))
    first = [spent for state in states for spent, _ in state.measured[:3]]
    later = [spent for state in states for spent, why in state.measured if why == "breaker_open"]
    figure("slowest of our decisions, breaker closed", max(first), "ms", most=1000)
    figure("slowest of our decisions, breaker open", max(later), "ms", most=50)
