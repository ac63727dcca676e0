"""Workers that die, freeze, are busy or lose their broker: each run once, and none is stuck."""

import json
import os
import signal
import subprocess
import threading
import time

import pytest

from config import ROOT
from tests.faults.conftest import (
    GRACE,
    LEASE,
    MARGIN,
    POOLS,
    Caller,
    Ledger,
    active_runs,
    as_instant,
    check_on_celery,
    check_one_effect_each,
    check_settled,
    quick_on_postgresql,
    quick_on_sqlite,
    run_job,
    run_python,
    start_both,
    with_quick,
)
from tests.support.celery_workers import celery
from tests.support.databases import on_one_kind
from tests.support.processes import Instance, wait_until
from tests.support.redis import RedisServer


@quick_on_postgresql
@with_quick("pool", POOLS, "threads")
def test_command_runs_a_job_on_a_worker(celery_unit: Instance, ledger: Ledger, pool: str):
    worker = celery_unit.worker(pool=pool)
    run = run_job(celery_unit, "test.effect", journal=ledger.path)
    check_on_celery(run)
    assert len(ledger.journal("effect", run["id"])) == 1
    worker.stop()


DELAY = """
import sys
from k9ops.worker import celery
print(celery.tasks["test.effect"].delay(sys.argv[1]).id)
"""


@quick_on_postgresql
def test_delay_leaves_a_run_of_celery(celery_unit: Instance, ledger: Ledger):
    celery_unit.worker()
    task_id = run_python(celery_unit, DELAY, str(ledger.path))
    check_native(ledger, task_id)


@quick_on_postgresql
def test_celery_call_leaves_a_run_of_celery(celery_unit: Instance, ledger: Ledger):
    celery_unit.worker()
    arguments = json.dumps({"journal": str(ledger.path)})
    done = subprocess.run(
        celery("call", "test.effect", "--kwargs", arguments),
        cwd=ROOT, env=celery_unit.env(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    check_native(ledger, done.stdout.strip())


def check_native(ledger: Ledger, task_id: str) -> None:
    (run,) = wait_until(lambda: ledger.runs("test.effect"), 20)
    assert run["occurrence"] == f"celery:{task_id}"
    run = ledger.wait_for(run["id"], "succeeded")
    assert (run["path"], run["reason"]) == ("celery", None)
    (attempt,) = ledger.attempts(run["id"])
    assert attempt["celery_task_id"] == task_id
    assert len(ledger.journal("effect", run["id"])) == 1


APPLY = """
import sys
from k9ops.worker import celery
print(celery.tasks["test.effect"].apply(kwargs={"journal": sys.argv[1]}).get()["state"])
"""


@pytest.mark.slow
def test_apply_leaves_a_run_in_process(celery_unit: Instance, ledger: Ledger):
    assert run_python(celery_unit, APPLY, str(ledger.path)) == "new"
    (run,) = ledger.runs("test.effect")
    assert (run["state"], run["path"], run["reason"]) == ("succeeded", "in_process", "requested")
    assert len(ledger.journal("effect", run["id"])) == 1


RESULT = """
import sys
from k9ops.worker import celery
result = celery.tasks["test.effect"].delay(sys.argv[1])
print(result.get(timeout=30)["state"], result.state)
"""


@pytest.mark.slow
def test_result_backend_tells_the_end(
    celery_unit: Instance, redis_server: RedisServer, ledger: Ledger
):
    celery_unit.settings["celery_result_backend"] = redis_server.url(2)
    celery_unit.worker()
    assert run_python(celery_unit, RESULT, str(ledger.path)) == "new SUCCESS"


def seconds_until_success(ledger: Ledger, run_id: str) -> float:
    """How long the run waited for the attempt that succeeded."""
    run = ledger.wait_for(run_id, "succeeded", 60)
    last = ledger.attempts(run_id)[-1]
    return (as_instant(last["started_at"]) - as_instant(run["queued_at"])).total_seconds()


@quick_on_postgresql
def test_frozen_worker_is_passed_over_and_its_message_is_no_second_run(
    celery_unit: Instance, ledger: Ledger, caller: Caller, redis_server: RedisServer
):
    _, worker = start_both(celery_unit)
    caller.wait_ready()
    worker.freeze()
    run_id = caller.dispatch("test.effect", journal=ledger.path)
    assert ledger.run(run_id)["path"] == "celery"
    assert seconds_until_success(ledger, run_id) < GRACE + MARGIN
    run = ledger.run(run_id)
    assert (run["path"], run["reason"]) == ("in_process", "not_picked_up")
    worker.thaw()
    check_settled(ledger, redis_server, run_id)
    assert ledger.outcomes(run_id) == ["succeeded"]


@quick_on_postgresql
def test_message_that_redis_lost_is_made_good(
    celery_unit: Instance, ledger: Ledger, caller: Caller, redis_server: RedisServer
):
    """The worker had not taken it when Redis started anew without its data."""
    _, worker = start_both(celery_unit)
    caller.wait_ready()
    worker.freeze()
    run_id = caller.dispatch("test.effect", journal=ledger.path)
    assert ledger.run(run_id)["path"] == "celery"
    redis_server.kill()
    redis_server.start()
    worker.thaw()
    assert seconds_until_success(ledger, run_id) < GRACE + MARGIN
    check_settled(ledger, redis_server, run_id)
    assert ledger.outcomes(run_id) == ["succeeded"]


@quick_on_postgresql
@pytest.mark.parametrize(
    ("seconds", "grace"), [(6, GRACE), pytest.param(180, 5, marks=pytest.mark.slow)]
)
@pytest.mark.timeout(300)
def test_runs_wait_for_a_busy_worker(
    celery_unit: Instance, ledger: Ledger, caller: Caller, seconds: int, grace: int
):
    celery_unit.settings["jobs_pickup_grace_seconds"] = grace
    start_both(celery_unit)
    work = {"seconds": seconds, "journal": ledger.path}
    busy = caller.dispatch("test.sleep", **work)
    wait_until(lambda: ledger.journal("start", busy), 20)
    waiting = [caller.dispatch("test.effect", journal=ledger.path) for _ in range(5)]
    for run_id in [busy, *waiting]:
        run = ledger.wait_for(run_id, "succeeded", seconds + 30)
        assert (run["path"], run["reason"]) == ("celery", None)
        assert ledger.outcomes(run_id) == ["succeeded"]
        assert len(ledger.journal("start", run_id)) == 1


@quick_on_postgresql
@with_quick("victim", ["worker", "child"], "worker")
def test_killed_worker_loses_its_attempt_and_not_its_run(
    celery_unit: Instance, ledger: Ledger, caller: Caller, victim: str
):
    _, worker = start_both(celery_unit)
    run_id = caller.dispatch("test.effect", journal=ledger.path, seconds=4)
    wait_until(lambda: ledger.journal("effect", run_id), 20)
    killed_at = time.monotonic()
    if victim == "worker":
        worker.kill_group()
    else:
        assert ledger.executor(run_id) in worker.children()
        os.kill(ledger.executor(run_id), signal.SIGKILL)
    wait_until(lambda: len(ledger.outcomes(run_id)) == 2, 20)
    assert time.monotonic() - killed_at < LEASE + MARGIN
    run = ledger.wait_for(run_id, "succeeded")
    assert ledger.outcomes(run_id) == ["lost", "succeeded"]
    assert len(ledger.journal("effect", run_id)) == 1
    if victim == "worker":
        assert (run["path"], run["reason"]) == ("in_process", "worker_lost")


@pytest.mark.slow
def test_lost_run_goes_to_a_worker_that_lives(
    celery_unit: Instance, ledger: Ledger, caller: Caller
):
    celery_unit.start()
    workers = [celery_unit.worker() for _ in range(2)]
    run_id = caller.dispatch("test.effect", journal=ledger.path, seconds=4)
    wait_until(lambda: ledger.journal("effect", run_id), 20)
    pid = ledger.executor(run_id)
    next(worker for worker in workers if pid in worker.children()).kill_group()
    run = ledger.wait_for(run_id, "succeeded")
    assert (run["path"], run["reason"]) == ("celery", None)
    assert ledger.outcomes(run_id) == ["lost", "succeeded"]
    assert len(ledger.journal("effect", run_id)) == 1


@pytest.mark.slow
def test_retry_tries_celery_first_again(celery_unit: Instance, ledger: Ledger):
    # It takes a moment: the command tells of a run that waits or goes on, not of one that failed.
    run = run_job(celery_unit, "test.fail", seconds=3)
    assert (run["state"], run["path"], run["reason"]) == ("failed", "in_process", "no_worker")
    celery_unit.worker()
    done = celery_unit.flask("jobs", "retry", run["id"])
    assert done.returncode == 0, done.stderr
    wait_until(lambda: ledger.outcomes(run["id"]) == ["failed", "failed"], 20)
    check_paths(ledger, run["id"], [("in_process", "no_worker"), ("celery", None)])


@pytest.mark.slow
def test_scheduled_retry_tries_celery_first_again(celery_unit: Instance, ledger: Ledger):
    """Its first execution and the one after the pause."""
    start_both(celery_unit)
    scheduled = celery_unit.flask("jobs", "schedule", "test.fail", "--every", "2")
    assert scheduled.returncode == 0, scheduled.stderr
    run_id = wait_until(lambda: ledger.runs("test.fail"), 20)[0]["id"]
    ledger.wait_for(run_id, "failed")
    assert ledger.outcomes(run_id) == ["failed", "failed"]
    check_paths(ledger, run_id, [("celery", None), ("celery", None)])


def check_paths(ledger: Ledger, run_id: str, expected: list[tuple[str, str | None]]) -> None:
    attempts = ledger.attempts(run_id)
    assert [(attempt["path"], attempt["reason"]) for attempt in attempts] == expected


@pytest.mark.slow
def test_worker_whose_parent_is_killed_executes_its_run_once(
    celery_unit: Instance, ledger: Ledger, caller: Caller
):
    """The child outlives its parent for a while: whoever ends the run, it has one effect."""
    _, worker = start_both(celery_unit)
    run_id = caller.dispatch("test.effect", journal=ledger.path, seconds=4)
    wait_until(lambda: ledger.journal("effect", run_id), 20)
    worker.kill()
    ledger.wait_for(run_id, "succeeded")
    assert len(ledger.journal("effect", run_id)) == 1


@pytest.mark.slow
def test_run_that_kills_its_process_three_times_is_given_up(
    celery_unit: Instance, ledger: Ledger, caller: Caller
):
    celery_unit.start(workers=2)
    celery_unit.worker()
    run_id = caller.dispatch("test.sleep", seconds=60, journal=ledger.path)
    for number in range(1, 4):
        wait_until(lambda n=number: len(ledger.journal("start", run_id)) == n, 30)
        os.kill(ledger.executor(run_id), signal.SIGKILL)
        wait_until(lambda n=number: ledger.outcomes(run_id)[n - 1] == "lost", LEASE + MARGIN)
    run = ledger.wait_for(run_id, "failed")
    assert run["error_code"] == "gave_up"
    assert ledger.outcomes(run_id) == ["lost"] * 3


class Restarts(threading.Thread):
    """Starts Redis anew so often, until told to stop."""

    def __init__(self, server: RedisServer, every: float) -> None:
        super().__init__(daemon=True)
        self.server, self.every, self.count = server, every, 0
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(self.every):
            self.server.restart()
            self.count += 1

    def stop(self) -> int:
        self._stopped.set()
        self.join(20)
        return self.count


@quick_on_sqlite
@pytest.mark.parametrize(
    ("runs", "every", "restarts"),
    [(60, 2, 2), pytest.param(2000, 10, 2, marks=pytest.mark.slow)],
)
@pytest.mark.timeout(600)
def test_restarts_of_redis_lose_and_double_no_run(
    celery_unit: Instance,
    ledger: Ledger,
    caller: Caller,
    redis_server: RedisServer,
    runs: int,
    every: float,
    restarts: int,
):
    """Without an append-only file: at each restart the messages that wait are lost."""
    start_both(celery_unit, concurrency=2)
    celery_unit.worker(concurrency=2)
    disturbance = Restarts(redis_server, every)
    disturbance.start()
    for number in range(runs):
        caller.dispatch("test.effect", options={"key": f"run-{number}"}, journal=ledger.path)
        # However fast the machine is, Redis is restarted while runs still come.
        time.sleep(every * (restarts + 0.5) / runs)
    wait_until(lambda: not active_runs(ledger, "test.effect"), 300, pause=0.5)
    assert disturbance.stop() >= restarts
    found = ledger.runs("test.effect")
    print(f"\n{sorted({(run['path'], run['reason'] or '') for run in found})}")
    assert [run["state"] for run in found] == ["succeeded"] * runs
    check_one_effect_each(ledger, [str(run["id"]) for run in found])


@on_one_kind
@with_quick("pool", ["gevent", "eventlet"], "gevent")
def test_pool_of_green_threads_is_refused_in_one_line(celery_unit: Instance, pool: str):
    """By its class, since Celery looks for the package itself when it is named."""
    line = check_refused(celery_unit, "custom", pool=f"celery.concurrency.{pool}:TaskPool")
    assert line == "-P: this pool is not supported. Use prefork, threads, solo."


@on_one_kind
def test_worker_without_a_broker_is_refused_in_one_line(celery_unit: Instance):
    del celery_unit.settings["celery_broker_url"]
    line = check_refused(celery_unit, "prefork")
    assert line == "CELERY_BROKER_URL: a worker needs it, or REDIS_URL, or REDIS_HOST."


def check_refused(unit: Instance, name: str, pool: str = "") -> str:
    """A worker with this pool does not start; what it says on one line."""
    env = unit.env() | ({"CELERY_CUSTOM_WORKER_POOL": pool} if pool else {})
    done = subprocess.run(
        celery("worker", "-P", name),
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert not done.stdout
    (line,) = done.stderr.splitlines()
    return line
