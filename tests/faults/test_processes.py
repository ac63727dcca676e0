"""Processes that race, die, freeze and stop: one run per occurrence, one effect per run."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from config import ROOT
from tests.faults.conftest import Ledger, check_occurrences, stop_ticking
from tests.support.processes import Instance, Server, wait_until

DISPATCHER = """
import sys
from wsgi import app
from k9ops.jobs import dispatch
with app.app_context():
    sys.stdin.readline()
    for number in range(int(sys.argv[1])):
        dispatch("test.sleep", {"seconds": 0.01, "journal": sys.argv[2]}, key=f"race-{number}")
"""


def start(unit: Instance, job: str, seconds: float = 4) -> str:
    """Dispatch from outside, without waiting for the run: the web process takes it."""
    code = (
        "import sys\nfrom wsgi import app\nfrom k9ops.jobs import dispatch\n"
        "with app.app_context(): print(dispatch(sys.argv[1], {'seconds': float(sys.argv[2])}).id)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, job, str(seconds)],
        cwd=ROOT, env=unit.env(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.mark.parametrize("keys", [100])
def test_eight_processes_dispatch_the_same_keys(unit: Instance, ledger: Ledger, keys: int):
    unit.start(workers=2)
    command = [sys.executable, "-c", DISPATCHER, str(keys), str(ledger.path)]
    processes = [
        subprocess.Popen(command, cwd=ROOT, env=unit.env(), stdin=subprocess.PIPE, text=True)
        for _ in range(8)
    ]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda process: process.communicate("go\n"), processes))
    assert [process.returncode for process in processes] == [0] * 8
    wait_until(lambda: {run["state"] for run in ledger.runs("test.sleep")} == {"succeeded"}, 60)
    runs = sorted(str(run["id"]) for run in ledger.runs("test.sleep"))
    assert len(runs) == keys
    started = [line["run"] for line in ledger.journal("start")]
    assert sorted(run for run in started if run in runs) == runs


@pytest.mark.parametrize("seconds", [6, pytest.param(60, marks=pytest.mark.slow)])
@pytest.mark.timeout(200)
def test_three_workers_run_each_occurrence_once(unit: Instance, ledger: Ledger, seconds: int):
    unit.start(workers=3)
    time.sleep(seconds)
    stop_ticking(unit, ledger)
    check_occurrences(ledger, "tick.each", at_least=seconds - 2)


@pytest.mark.parametrize(
    ("seconds", "pause"), [(9, 4), pytest.param(60, 10, marks=pytest.mark.slow)]
)
@pytest.mark.timeout(300)
def test_killed_workers_lose_and_double_no_occurrence(
    unit: Instance, ledger: Ledger, seconds: int, pause: int
):
    server = unit.start(workers=3)
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        time.sleep(pause)
        os.kill(server.workers()[0], signal.SIGKILL)
    time.sleep(2)
    stop_ticking(unit, ledger)
    check_occurrences(ledger, "tick.each", at_least=seconds - 2)


@pytest.mark.parametrize("job", ["tick.long", "tick.long_child"])
def test_stopped_server_gives_its_run_back(unit: Instance, ledger: Ledger, job: str):
    server = unit.start()
    run_id = start(unit, job, seconds=8)  # it runs while the process that asked for it still ends
    wait_until(lambda: ledger.journal("start", run_id), 20)
    server.stop()
    assert ledger.run(run_id)["state"] == "queued"
    assert ledger.outcomes(run_id) == ["interrupted"]
    unit.start()
    ledger.wait_for(run_id, "succeeded")
    assert ledger.outcomes(run_id) == ["interrupted", "succeeded"]


def test_killed_process_loses_its_attempt_and_not_its_run(unit: Instance, ledger: Ledger):
    unit.start(workers=2)
    run_id = start(unit, "tick.long")
    wait_until(lambda: ledger.journal("start", run_id), 20)
    os.kill(ledger.executor(run_id), signal.SIGKILL)
    killed_at = time.monotonic()
    wait_until(lambda: len(ledger.outcomes(run_id)) == 2, 20)
    assert time.monotonic() - killed_at < 3 + 5  # the lease, and five seconds
    ledger.wait_for(run_id, "succeeded")
    assert ledger.outcomes(run_id) == ["lost", "succeeded"]


def test_run_in_a_child_goes_on_when_its_parent_is_killed(unit: Instance, ledger: Ledger):
    server = unit.start()
    run_id = start(unit, "tick.long_child")
    wait_until(lambda: ledger.journal("start", run_id), 20)
    os.kill(server.workers()[0], signal.SIGKILL)
    ledger.wait_for(run_id, "succeeded")
    assert ledger.outcomes(run_id) == ["succeeded"]


def test_killed_child_is_noticed_at_once(unit: Instance, ledger: Ledger):
    unit.start()
    run_id = start(unit, "tick.long_child")
    wait_until(lambda: ledger.journal("start", run_id), 20)
    os.kill(ledger.executor(run_id), signal.SIGKILL)
    wait_until(lambda: ledger.outcomes(run_id)[0] == "lost", 2)
    ledger.wait_for(run_id, "succeeded")


def test_frozen_process_is_fenced_when_it_thaws(unit: Instance, ledger: Ledger):
    unit.start(workers=2)
    run_id = start(unit, "tick.long")
    wait_until(lambda: ledger.journal("start", run_id), 20)
    frozen = ledger.executor(run_id)
    os.kill(frozen, signal.SIGSTOP)
    try:
        ledger.wait_for(run_id, "succeeded")
    finally:
        before = _all_of(ledger, run_id)
        os.kill(frozen, signal.SIGCONT)
    time.sleep(6)  # longer than the frozen job had left to run
    assert _all_of(ledger, run_id) == before
    assert ledger.outcomes(run_id) == ["lost", "succeeded"]


def _all_of(ledger: Ledger, run_id: str) -> list[object]:
    tables = ("job_attempts", "job_events", "job_effects", "job_log_lines")
    children = [
        ledger.rows(f"SELECT * FROM {table} WHERE run_id = :id ORDER BY id", id=run_id)
        for table in tables
    ]
    return [ledger.run(run_id), *children]


@pytest.mark.parametrize("job", ["tick.long", "tick.long_child"])
def test_command_that_is_interrupted_cancels_its_run(unit: Instance, ledger: Ledger, job: str):
    command = unit.spawn("jobs", "run", job, "--arg", "seconds=20")
    (run,) = wait_until(lambda: ledger.runs(job), 20)
    ledger.executor(run["id"])  # claimed, and a child of it not yet up
    command.send_signal(signal.SIGINT)
    command.communicate(timeout=10)
    assert command.returncode == 1
    assert ledger.run(run["id"])["state"] == "cancelled"
    assert ledger.outcomes(run["id"]) == ["cancelled"]
    time.sleep(3)  # a child that was just starting would have begun by now
    assert not [line for line in ledger.journal("end") if line["run"] == run["id"]]


def test_three_hours_of_rest_follow_the_misfire_policies(unit: Instance, ledger: Ledger):
    between = 300 - time.time() % 600  # in the middle between two occurrences
    first = unit.start(test_clock_offset_seconds=between)
    wait_until(lambda: len(ledger.rows("SELECT * FROM periodic_tasks")) >= 4, 10)
    first.stop()
    unit.start(test_clock_offset_seconds=between + 3 * 3600)
    policies = ("latest", "each", "skip")

    def settled() -> bool:
        found = [run for name in policies for run in ledger.runs(f"tick.gap_{name}")]
        return bool(found) and all(run["state"] in ("succeeded", "missed") for run in found)

    wait_until(lambda: ledger.runs("tick.gap_skip") and settled(), 20)
    counts = {name: _gap_of(ledger, f"tick.gap_{name}") for name in policies}
    assert counts == {
        "each": {"late": 18, "missed": 0, "rows": 18},
        "latest": {"late": 1, "missed": 17, "rows": 2},
        "skip": {"late": 0, "missed": 18, "rows": 1},
    }


def _gap_of(ledger: Ledger, job: str) -> dict[str, int]:
    runs = ledger.runs(job)
    missed = [run["result"] for run in runs if run["state"] == "missed"]
    results = [json.loads(one) if isinstance(one, str) else one for one in missed]
    return {
        "late": sum(bool(run["late"]) and run["state"] == "succeeded" for run in runs),
        "missed": sum(result["count"] for result in results),
        "rows": len(runs),
    }


def test_second_copy_beside_the_first_shares_nothing(make_instance, databases, tmp_path):
    servers: list[Server] = []
    for _ in range(2):
        copy = make_instance(database_url=databases.new("sqlite"))
        servers.append(copy.start())
    assert servers[0].port != servers[1].port
    assert all(server.is_up() for server in servers)
