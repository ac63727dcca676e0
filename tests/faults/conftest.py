"""Real processes of the product, a journal of what they did, and their ledger read from outside."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine, create_engine, text

from config import ROOT
from k9ops.jobs.broker import lists_of
from tests.support.celery_workers import CeleryProcess
from tests.support.databases import KINDS
from tests.support.jobs import read
from tests.support.processes import Instance, Server, wait_until
from tests.support.redis import RedisServer

SETTINGS = {
    "jobs_extra_modules": ("tests.support.jobs", "tests.support.ticking"),
    "jobs_lease_seconds": 3,
    "jobs_drain_seconds": 1,
    "backup_frequency": "off",
}
GRACE, LEASE = 3, SETTINGS["jobs_lease_seconds"]
#: What a rescue may take on top of the grace or the lease.
MARGIN = 5
POOLS = ("prefork", "threads", "solo")


def with_quick(name: str, values: Iterable[str], *quick: str) -> pytest.MarkDecorator:
    """Parametrize by all these values; those that are not quick are slow."""
    slow = pytest.mark.slow
    marked = [value if value in quick else pytest.param(value, marks=slow) for value in values]
    return pytest.mark.parametrize(name, marked)


#: For tests in which the kind of the database does not matter.
on_postgresql = pytest.mark.parametrize("database_kind", ["postgresql"])
#: For those in which it hardly does: the other kind is slow.
quick_on_postgresql = with_quick("database_kind", KINDS, "postgresql")
quick_on_sqlite = with_quick("database_kind", KINDS, "sqlite")

#: Dispatches what it is told, line by line, and tells each run's id.
CALLER = """
import json, sys
from wsgi import app
from k9ops.jobs import dispatch
with app.app_context():
    print("ready", flush=True)
    for line in sys.stdin:
        name, arguments, options = json.loads(line)
        print(dispatch(name, arguments, **options).id, flush=True)
"""


@dataclass
class Ledger:
    """The database and the journal, read from outside while processes come and go."""

    engine: Engine
    path: Path

    def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(sql), values).mappings()]

    def runs(self, job: str) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM job_runs WHERE job = :job ORDER BY due_at, id", job=job)

    def run(self, run_id: str) -> dict[str, Any]:
        return self.rows("SELECT * FROM job_runs WHERE id = :id", id=run_id)[0]

    def outcomes(self, run_id: str) -> list[str | None]:
        sql = "SELECT outcome FROM job_attempts WHERE run_id = :id ORDER BY number"
        return [row["outcome"] for row in self.rows(sql, id=run_id)]

    def attempts(self, run_id: str) -> list[dict[str, Any]]:
        sql = "SELECT * FROM job_attempts WHERE run_id = :id ORDER BY number"
        return self.rows(sql, id=run_id)

    def executor(self, run_id: str) -> int:
        """The process that executes the run now."""
        sql = "SELECT executor FROM job_attempts WHERE run_id = :id AND outcome IS NULL"
        found = wait_until(lambda: self.rows(sql, id=run_id), 20)
        return int(found[0]["executor"].rpartition(":")[2])

    def journal(self, what: str, run_id: object = None) -> list[dict[str, Any]]:
        """The lines of that kind; of one run when it is given."""
        of = None if run_id is None else str(run_id)  # PostgreSQL's is a UUID
        return [
            line for line in read(self.path) if line["what"] == what and of in (None, line["run"])
        ]

    def wait_for(self, run_id: str, state: str, seconds: float = 30) -> dict[str, Any]:
        wait_until(lambda: self.run(run_id)["state"] == state, seconds)
        return self.run(run_id)


@pytest.fixture
def ledger(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    path = tmp_path / "journal"
    monkeypatch.setenv("TEST_JOURNAL", str(path))
    url = database_url.replace("postgresql://", "postgresql+psycopg2://")
    engine = create_engine(url)
    yield Ledger(engine, path)
    engine.dispose()


@pytest.fixture
def unit(make_instance: Callable[..., Instance], database_url: str, ledger: Ledger) -> Instance:
    """A copy of the product with the tests' jobs and short leases."""
    return make_instance(database_url=database_url, **SETTINGS)


@pytest.fixture
def celery_unit(
    make_instance: Callable[..., Instance],
    database_url: str,
    ledger: Ledger,
    redis_server: RedisServer,
) -> Instance:
    """The same with a broker of its own, and no worker yet."""
    broker = {"celery_broker_url": redis_server.url(1), "jobs_pickup_grace_seconds": GRACE}
    return make_instance(database_url=database_url, **SETTINGS, **broker)


class Caller:
    """A process that dispatches again and again, so that its connections are warm."""

    def __init__(self, env: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", CALLER],
            cwd=ROOT, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._is_ready = False

    def wait_ready(self) -> None:
        """Until then it starts beside what else the test starts."""
        if not self._is_ready:
            assert self._process.stdout.readline() == "ready\n"
            self._is_ready = True

    def dispatch(self, name: str, *, options: dict[str, Any] | None = None, **given: Any) -> str:
        """Dispatch and return at once; the run's id."""
        self.wait_ready()
        line = json.dumps([name, given, options or {}], default=str)
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        run_id = self._process.stdout.readline().strip()
        assert run_id, "the caller ended"
        return run_id

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def make_caller(celery_unit: Instance) -> Iterator[Callable[..., Caller]]:
    """Callers of the unit; takes settings by their names."""
    made: list[Caller] = []

    def make(**settings: object) -> Caller:
        made.append(Caller(celery_unit.env(**settings)))
        return made[-1]

    yield make
    for caller in made:
        caller.close()


@pytest.fixture
def caller(make_caller: Callable[..., Caller]) -> Caller:
    return make_caller()


def start_both(unit: Instance, **options: Any) -> tuple[Server, CeleryProcess]:
    """A web process and a worker with these options, started side by side."""
    with ThreadPoolExecutor(2) as pool:
        server, worker = pool.submit(unit.start), pool.submit(unit.worker, **options)
        return server.result(), worker.result()


def run_job(unit: Instance, name: str, *, wrap: Any = list, **given: Any) -> dict[str, Any]:
    """`flask jobs run NAME --wait --json` in a new process; the run as it tells it."""
    pairs = [word for key, value in given.items() for word in ("--arg", f"{key}={value}")]
    command = wrap(unit.command("jobs", "run", name, *pairs, "--wait", "--json"))
    done = subprocess.run(
        command, cwd=ROOT, env=unit.env(), capture_output=True, text=True, timeout=90, check=False
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def run_python(unit: Instance, code: str, *arguments: str) -> str:
    """Run a script of the unit that talks to Celery itself; what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT, env=unit.env(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def check_fell_back(run: dict[str, Any], reason: str, within_ms: float = 1000) -> None:
    """The run succeeded here at its first attempt, decided for this reason in time."""
    assert (run["state"], run["path"], run["reason"]) == ("succeeded", "in_process", reason)
    (attempt,) = run["attempts"]
    assert (attempt["path"], attempt["reason"]) == ("in_process", reason)
    assert attempt["decision_ms"] < within_ms


def check_on_celery(run: dict[str, Any]) -> None:
    """The run succeeded on a worker at its first attempt, decided in time."""
    assert (run["state"], run["path"], run["reason"]) == ("succeeded", "celery", None)
    (attempt,) = run["attempts"]
    assert attempt["executor"].startswith("worker:")
    assert attempt["celery_task_id"]
    assert attempt["decision_ms"] < 1000


def messages(client: Redis, queue: str = "k9_tasks") -> int:
    """How many messages wait in the queue."""
    return sum(client.llen(name) for name in lists_of(queue))


def check_one_effect_each(ledger: Ledger, run_ids: list[str]) -> None:
    effects = [line["run"] for line in ledger.journal("effect")]
    assert sorted(run for run in effects if run in set(run_ids)) == sorted(run_ids)


def check_occurrences(ledger: Ledger, job: str, at_least: int) -> None:
    """One succeeded run for each second between the first and the last, one effect for each run."""
    runs = ledger.runs(job)
    dues = [as_instant(run["due_at"]) for run in runs]
    steps = {later - earlier for earlier, later in pairwise(dues)}
    assert steps == {timedelta(seconds=1)}, "an occurrence is missing or double"
    assert {run["state"] for run in runs} == {"succeeded"}
    assert len(runs) >= at_least
    check_one_effect_each(ledger, [str(run["id"]) for run in runs])


def as_instant(value: str | datetime) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def stop_ticking(unit: Instance, ledger: Ledger) -> None:
    assert unit.flask("jobs", "pause", "tick.each").returncode == 0
    wait_until(lambda: not active_runs(ledger, "tick.each"), 30)


def active_runs(ledger: Ledger, job: str) -> list[dict[str, Any]]:
    return [run for run in ledger.runs(job) if run["state"] in ("queued", "running")]


def check_settled(ledger: Ledger, server: RedisServer, run_id: str) -> None:
    """Every message is taken, and the run is as it was: one attempt, one effect."""
    before = ledger.run(run_id)
    with server.client(1) as client:
        wait_until(lambda: messages(client) == 0, 20)
    time.sleep(GRACE)
    assert ledger.run(run_id) == before
    assert ledger.outcomes(run_id) == ["succeeded"]
    assert len(ledger.journal("start", run_id)) == 1
    assert len(ledger.journal("effect", run_id)) == 1
