"""Uploads that meet errors, cuts and kills: one file on Drive, sent little more than once."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, bindparam, text

from tests.faults.conftest import SETTINGS, Ledger, on_postgresql, quick_on_sqlite
from tests.support.drive import DriveServer
from tests.support.processes import Instance, wait_until

JOB = "backups.run_automated_backup"
#: What may be sent at most, in sizes of the backup.
MOST = 1.3
#: The second is the size that a unit of some years has.
megabytes = pytest.mark.parametrize("size", [18, pytest.param(60, marks=pytest.mark.slow)])


@pytest.fixture
def unit(
    make_instance: Callable[..., Instance],
    database_url: str,
    drive_server: DriveServer,
    tmp_path: Path,
    ledger: Ledger,
) -> Instance:
    """A copy of the product that uploads to the server, with short leases."""
    settings = SETTINGS | drive_server.settings(tmp_path)
    return make_instance(database_url=database_url, **settings)


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """Commands that are ended with the test."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def fill(ledger: Ledger, size: int) -> None:
    """Add so many megabytes that cannot be compressed."""
    kind = "bytea" if ledger.engine.dialect.name == "postgresql" else "blob"
    insert = text("INSERT INTO noise VALUES (:noise)").bindparams(
        bindparam("noise", type_=LargeBinary)
    )
    with ledger.engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE noise (noise {kind})"))
        for _ in range(size):
            connection.execute(insert, {"noise": os.urandom(1 << 20)})


def back_up(unit: Instance) -> tuple[int, dict, str]:
    done = unit.flask("run-backup", "--json")
    return done.returncode, json.loads(done.stdout), done.stderr


def manifest_of(unit: Instance) -> dict:
    """The manifest of the one backup that there is."""
    (found,) = (unit.folder / "backups").glob("*.json")
    return json.loads(found.read_text())


def check_one_copy(drive_server: DriveServer, result: dict) -> None:
    (file,) = drive_server.live()
    assert file["sha256Checksum"] == result["sha256"]
    assert result["upload"] == "done"
    assert drive_server.bytes_received < MOST * result["bytes"]


def wait_until_sent(drive_server: DriveServer, share: float) -> None:
    def is_sent() -> bool:
        sessions = list(drive_server.sessions.values())
        return bool(sessions) and len(sessions[0].received) >= share * sessions[0].size

    wait_until(is_sent, 60, pause=0.01)


@quick_on_sqlite
@megabytes
def test_upload_is_whole_when_it_meets_an_error_and_a_cut(unit, ledger, drive_server, size):
    fill(ledger, size)
    drive_server.meet("piece", 503, after_bytes=(size // 4) << 20)
    drive_server.meet("piece", kind="cut", after_bytes=(size // 2) << 20)
    code, run, said = back_up(unit)
    assert (code, run["state"]) == (0, "succeeded"), said
    assert drive_server.asked.count("query") == 2
    if size == 60:  # of the smaller one a piece is too large a part
        check_one_copy(drive_server, run["result"])


@quick_on_sqlite
@megabytes
def test_upload_goes_on_in_another_process_when_its_own_is_killed(
    unit, ledger, drive_server, started, size
):
    fill(ledger, size)
    drive_server.seconds_per_piece = 0.2
    started.append(unit.spawn("run-backup", "--json"))
    wait_until_sent(drive_server, 0.6)
    (run,) = ledger.runs(JOB)
    os.kill(ledger.executor(run["id"]), signal.SIGKILL)
    said, _ = started[0].communicate(timeout=60)
    run = json.loads(said)
    assert [attempt["outcome"] for attempt in run["attempts"]] == ["lost", "succeeded"]
    check_one_copy(drive_server, run["result"])


@quick_on_sqlite
@megabytes
def test_upload_goes_on_when_all_processes_are_killed_and_started_again(
    unit, ledger, drive_server, started, size
):
    fill(ledger, size)
    drive_server.seconds_per_piece = 0.2
    started.append(unit.spawn("run-backup"))
    wait_until_sent(drive_server, 0.6)
    run_id = ledger.runs(JOB)[0]["id"]
    started[0].kill()
    os.kill(ledger.executor(run_id), signal.SIGKILL)
    started.append(unit.spawn("scheduler"))
    run = ledger.wait_for(run_id, "succeeded", 60)
    result = run["result"] if isinstance(run["result"], dict) else json.loads(run["result"])
    check_one_copy(drive_server, result)
    assert len(list((unit.folder / "backups").glob("*.zst"))) == 1


@on_postgresql
@pytest.mark.parametrize(
    ("where", "status", "reason", "words"),
    [
        ("piece", 401, "authError", "refuses the key"),
        ("begin", 403, "storageQuotaExceeded", "shared drive is full"),
    ],
)
def test_backup_is_partial_and_retry_uploads_only_when_drive_refuses(
    unit, drive_server, where, status, reason, words
):
    drive_server.meet(where, status, reason, times=float("inf"))
    drive_server.meet("query", status, reason, times=float("inf"))
    code, run, _ = back_up(unit)
    assert (code, run["state"]) == (3, "partial")
    assert words in run["error"]["message"]
    before = manifest_of(unit)
    assert not before["uploaded"]
    drive_server.troubles.clear()
    # Another dump would need the program.
    retried = unit.flask("jobs", "retry", run["id"], "--json", PATH=str(unit.folder))
    assert retried.returncode == 0, retried.stderr
    assert json.loads(retried.stdout)["result"]["upload"] == "done"
    assert manifest_of(unit) == before | {"uploaded": True}
    assert [file["sha256Checksum"] for file in drive_server.live()] == [before["sha256"]]


@on_postgresql
def test_command_says_what_to_do_when_only_the_upload_failed(unit, drive_server):
    drive_server.meet("begin", 404, "notFound", times=float("inf"))
    done = unit.flask("run-backup")
    assert done.returncode == 3
    for words in ("is good", "GOOGLE_DRIVE_FOLDER_ID", "flask jobs retry"):
        assert words in done.stderr
    assert "Traceback" not in done.stderr
