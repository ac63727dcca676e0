"""Workers that are told to stop: they end in time, and what they leave goes on elsewhere."""

import time

import pytest

from tests.faults.conftest import POOLS, Caller, Ledger, on_postgresql, start_both, with_quick
from tests.support.celery_workers import CeleryProcess
from tests.support.processes import Instance, wait_until

#: An idle worker needs two to three seconds for its end, more on a busy machine.
PROMPT = 5


@on_postgresql
@with_quick("pool", POOLS, "prefork")
def test_stopped_worker_gives_its_run_to_a_web_process(
    celery_unit: Instance, ledger: Ledger, caller: Caller, pool: str
):
    """The job heeds nothing: it is fenced, and its process ends over it."""
    _, worker = start_both(celery_unit, pool=pool)
    run_id = caller.dispatch("test.effect", journal=ledger.path, seconds=5)
    wait_until(lambda: ledger.journal("effect", run_id), 20)
    worker.stop()
    ledger.wait_for(run_id, "succeeded")
    check_given_on(ledger, run_id, ["celery", "in_process"])
    assert len(ledger.journal("effect", run_id)) == 1


@on_postgresql
@pytest.mark.slow
@pytest.mark.parametrize("pool", POOLS)
def test_stopped_worker_gives_its_run_to_another_worker(
    celery_unit: Instance, ledger: Ledger, caller: Caller, pool: str
):
    celery_unit.start()
    workers = [celery_unit.worker(pool=pool) for _ in range(2)]
    run_id = caller.dispatch("test.effect", journal=ledger.path, seconds=5)
    wait_until(lambda: ledger.journal("effect", run_id), 20)
    worker_of(ledger, run_id, workers).stop()
    ledger.wait_for(run_id, "succeeded")
    check_given_on(ledger, run_id, ["celery", "celery"])
    assert len(ledger.journal("effect", run_id)) == 1


def worker_of(ledger: Ledger, run_id: str, workers: list[CeleryProcess]) -> CeleryProcess:
    """The worker that executes the run, itself or in a child."""
    pid = ledger.executor(run_id)
    return next(worker for worker in workers if pid in (worker.pid, *worker.children()))


def check_given_on(ledger: Ledger, run_id: str, paths: list[str]) -> None:
    assert ledger.outcomes(run_id) == ["interrupted", "succeeded"]
    assert [attempt["path"] for attempt in ledger.attempts(run_id)] == paths
    assert ledger.run(run_id)["tries"] == 1


@on_postgresql
@pytest.mark.slow
@pytest.mark.parametrize("pool", POOLS)
def test_run_that_heeds_a_stopping_worker_ends_it_sooner(
    celery_unit: Instance, ledger: Ledger, caller: Caller, pool: str
):
    _, worker = start_both(celery_unit, pool=pool)
    run_id = caller.dispatch("test.sleep", journal=ledger.path, seconds=6)
    wait_until(lambda: ledger.journal("start", run_id), 20)
    stopped_at = time.monotonic()
    worker.stop()
    assert time.monotonic() - stopped_at < PROMPT + celery_unit.settings["jobs_drain_seconds"]
    ledger.wait_for(run_id, "succeeded")
    check_given_on(ledger, run_id, ["celery", "in_process"])
    assert len(ledger.journal("end", run_id)) == 1


@on_postgresql
@pytest.mark.slow
@pytest.mark.parametrize("pool", ["threads", "solo"])
def test_stopped_worker_ends_the_child_of_its_run(
    celery_unit: Instance, ledger: Ledger, caller: Caller, pool: str
):
    """These pools give a job of its own process a child, as a web process does."""
    _, worker = start_both(celery_unit, pool=pool)
    run_id = caller.dispatch("tick.long_child", seconds=6)
    wait_until(lambda: ledger.journal("start", run_id), 20)
    assert ledger.attempts(run_id)[0]["executor"].startswith("child:")
    worker.stop()
    ledger.wait_for(run_id, "succeeded")
    check_given_on(ledger, run_id, ["celery", "in_process"])
    assert len(ledger.journal("end", run_id)) == 1


@on_postgresql
@with_quick("pool", POOLS, "solo")
def test_short_run_ends_within_the_grace(
    celery_unit: Instance, ledger: Ledger, caller: Caller, pool: str
):
    celery_unit.settings["jobs_drain_seconds"] = 20
    worker = celery_unit.worker(pool=pool)
    run_id = caller.dispatch("test.effect", journal=ledger.path, seconds=2)
    wait_until(lambda: ledger.journal("effect", run_id), 20)
    stopped_at = time.monotonic()
    worker.stop()
    assert time.monotonic() - stopped_at < 2 + PROMPT
    assert ledger.run(run_id)["state"] == "succeeded"
    assert ledger.outcomes(run_id) == ["succeeded"]


@on_postgresql
@pytest.mark.slow
@pytest.mark.parametrize("pool", POOLS)
def test_idle_worker_ends_promptly(celery_unit: Instance, pool: str):
    worker = celery_unit.worker(pool=pool)
    stopped_at = time.monotonic()
    worker.stop()
    assert time.monotonic() - stopped_at < PROMPT
