"""Queues: urgent runs first, runs that only Celery may have, messages that mean nothing."""

import json
import time
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.conftest import (
    MARGIN,
    Caller,
    Ledger,
    check_on_celery,
    on_postgresql,
    quick_on_postgresql,
    run_job,
    run_python,
    start_both,
)
from tests.support.processes import Instance, Server, wait_until
from tests.support.redis import RedisServer

PRIORITIES = range(10)
#: Seconds, well past the grace of a strict unit.
BEYOND = 4


@on_postgresql
@pytest.mark.parametrize("runs", [300, pytest.param(10_000, marks=pytest.mark.slow)])
@pytest.mark.timeout(900)
def test_urgent_runs_are_taken_first(
    celery_unit: Instance, ledger: Ledger, caller: Caller, runs: int
):
    """The least urgent are dispatched first of all, and long before a worker starts."""
    for number in range(runs):
        job = f"test.priority_{PRIORITIES[number % len(PRIORITIES)]}"
        caller.dispatch(job, options={"via": "celery"})
    celery_unit.worker()
    states = "SELECT state, count(*) AS count FROM job_runs GROUP BY state"
    all_well = [{"state": "succeeded", "count": runs}]
    wait_until(lambda: ledger.rows(states) == all_well, 600, pause=0.5)
    sql = """
        SELECT priority, path FROM job_runs ORDER BY started_at, priority DESC
    """
    taken = ledger.rows(sql)
    assert {row["path"] for row in taken} == {"celery"}
    priorities = [row["priority"] for row in taken]
    assert set(priorities) == set(PRIORITIES)
    assert priorities == sorted(priorities, reverse=True)


@pytest.fixture
def strict_unit(celery_unit: Instance) -> Instance:
    """A unit that only Celery serves; nothing comes due by itself."""
    periods = {"jobs_pickup_grace_seconds": 1, "jobs_breaker_seconds": 2}
    celery_unit.settings.update(celery_fallback="off", jobs_scheduler="off", **periods)
    return celery_unit


def ask_ready(server: Server) -> dict[str, Any]:
    with urllib.request.urlopen(f"{server.url}/readyz", timeout=5) as answer:
        return json.load(answer)


def check_waits_for_celery(ledger: Ledger, run_id: str) -> None:
    run = ledger.run(run_id)
    assert (run["state"], run["path"], run["reason"]) == ("queued", "celery", None)


def check_done_by_celery(ledger: Ledger, run_id: str, seconds: float) -> None:
    """It succeeded on a worker, at its first attempt and with one effect."""
    run = ledger.wait_for(run_id, "succeeded", seconds)
    assert (run["path"], run["reason"]) == ("celery", None)
    time.sleep(2)  # for messages that were sent again
    assert ledger.outcomes(run_id) == ["succeeded"]
    assert len(ledger.journal("effect", run_id)) == 1


@quick_on_postgresql
def test_run_waits_for_a_worker_where_the_fallback_is_off(
    strict_unit: Instance, ledger: Ledger, make_caller: Callable[..., Caller]
):
    server = strict_unit.start()
    run_id = make_caller().dispatch("test.effect", journal=ledger.path)
    time.sleep(BEYOND)
    check_waits_for_celery(ledger, run_id)
    told = ask_ready(server)
    assert told["status"] == "degraded"
    assert told["checks"]["worker"]["status"] == "degraded"
    waits = "1 run waits for Celery: the fallback is off."
    assert told["checks"]["worker"]["detail"].endswith(waits)
    strict_unit.worker()
    check_done_by_celery(ledger, run_id, MARGIN)
    wait_until(lambda: ask_ready(server)["checks"]["worker"]["status"] == "ok", MARGIN)


@on_postgresql
@pytest.mark.parametrize(
    ("fall_sick", "recover"),
    [("stop", "start"), pytest.param("freeze", "thaw", marks=pytest.mark.slow)],
)
def test_run_waits_for_the_broker_where_the_fallback_is_off(
    strict_unit: Instance,
    ledger: Ledger,
    make_caller: Callable[..., Caller],
    redis_server: RedisServer,
    fall_sick: str,
    recover: str,
):
    caller = make_caller()
    server, _ = start_both(strict_unit)
    getattr(redis_server, fall_sick)()
    run_id = caller.dispatch("test.effect", journal=ledger.path)
    time.sleep(BEYOND)
    check_waits_for_celery(ledger, run_id)
    broker = ask_ready(server)["checks"]["broker"]
    assert broker["status"] == "degraded"
    assert broker["detail"].endswith("1 run waits for Celery: the fallback is off.")
    getattr(redis_server, recover)()
    check_done_by_celery(ledger, run_id, 30)


PUBLISH = """
import json, sys
from k9ops.worker import celery
task = celery.tasks["test.effect"]
for header in json.loads(sys.argv[1]):
    celery.send_task(task.name, headers={"k9ops_run": header}, ignore_result=True)
"""

#: What is no id of a run, as a header can hold it.
GARBAGE = ["no id", "\x00", "x" * 10_000, 12, 1.5, True, ["list"], {"of": "things"}]


def publish(unit: Instance, headers: list[Any]) -> None:
    """Send messages of `test.effect` with these as their runs."""
    run_python(unit, PUBLISH, json.dumps(headers))


def dropped(ledger: Ledger) -> tuple[int, int]:
    """How many messages were dropped as stale, and as of no known run."""
    rows = ledger.rows("SELECT stale_messages, unknown_messages FROM broker_state")
    return (rows[0]["stale_messages"], rows[0]["unknown_messages"]) if rows else (0, 0)


@pytest.mark.slow
def test_message_without_a_waiting_run_is_dropped_and_counted(
    celery_unit: Instance, ledger: Ledger
):
    """Of a run that has ended, or of none that is known; the worker works on."""
    worker = celery_unit.worker()
    run = run_job(celery_unit, "test.effect", journal=ledger.path)
    check_on_celery(run)
    before = ledger.run(run["id"])
    unknown = [str(uuid.uuid4()), *GARBAGE]
    publish(celery_unit, [run["id"], *unknown, run["id"]])
    wait_until(lambda: dropped(ledger) == (2, len(unknown)), 20)
    assert len(ledger.runs("test.effect")) == 1
    assert ledger.run(run["id"]) == before
    assert len(ledger.journal("effect", run["id"])) == 1
    assert "Traceback" not in worker.text()
    check_on_celery(run_job(celery_unit, "test.effect", journal=ledger.path))
