"""From dispatch to end: each way an attempt can end, and what the ledger says of it."""

import json
import shutil
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import Connection, create_engine, event, func, select, update

from k9ops.core.clock import read_now
from k9ops.core.db import db
from k9ops.jobs import dispatch
from k9ops.jobs.foreground import run_here
from k9ops.jobs.models import JobRun
from k9ops.jobs.queries import events_of, get_run, log_lines_of, run_document
from k9ops.jobs.runner import execute
from k9ops.jobs.states import MOVES, State
from k9ops.notifications.models import Notification
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("engine_app")


def run(name: str, **arguments: object) -> JobRun:
    return run_here(dispatch(name, arguments).id)


def rows() -> int:
    return db.session.scalar(
        select(func.count()).select_from(Notification).where(Notification.kind == "test")
    )


def moves(run_id: str) -> list[tuple[str | None, str]]:
    return [(event.from_state, event.to_state) for event in events_of(run_id)]


def test_run_succeeds_with_its_path_and_reason():
    document = run_document(run("test.sleep", seconds=0.01))
    assert document["state"] == "succeeded"
    assert (document["path"], document["reason"]) == ("in_process", "celery_off")
    assert document["result"] == {"slept": 0.01}
    assert document["error"] is None
    (attempt,) = document["attempts"]
    assert attempt["outcome"] == "succeeded"
    assert attempt["executor"].startswith("cli:")
    assert document["duration_ms"] >= 10
    json.dumps(document)


def test_run_is_requested_here_when_asked_so():
    assert dispatch("test.sleep", via="here").reason == "requested"


def test_every_move_is_an_event_that_the_table_allows():
    ended = run("test.sleep")
    assert moves(ended.id) == [(None, "queued"), ("queued", "running"), ("running", "succeeded")]
    for before, after in moves(ended.id):
        assert State(after) in MOVES[State(before) if before else None]


def test_run_keeps_what_the_job_logged_and_its_progress():
    ended = run("test.progress", steps=4)
    assert [line.message for line in log_lines_of(ended.id)] == ["all steps done"]
    assert run_document(ended)["progress"] == {"done": 4, "total": 4, "text": "step 4"}


def test_run_fails_at_once_when_a_person_asked():
    document = run_document(run("test.fail", text="no luck"))
    assert document["state"] == "failed"
    assert document["error"]["code"] == "ValueError"
    assert document["error"]["message"] == "no luck"
    assert "raise ValueError" in document["error"]["traceback"]


def test_error_text_is_cut_and_cleaned_when_huge_and_broken():
    document = run_document(run("test.fail", text="\x00é\ud800", repeat=4_000_000))
    assert document["state"] == "failed"
    assert len(document["error"]["message"]) < 3_000
    assert "\x00" not in document["error"]["message"]
    assert "characters in all" in document["error"]["message"]
    assert len(document["error"]["traceback"]) < 25_000


def test_run_ends_without_retry_when_the_error_is_permanent():
    ended = run("test.permanent")
    assert (ended.state, ended.error_code) == ("failed", "never")


def test_run_ends_with_a_code_that_fits_when_the_jobs_own_does_not():
    ended = run("test.permanent", code="\x00" * 1000)
    assert (ended.state, len(ended.error_code)) == ("failed", 80)


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_run_fails_with_its_own_error_when_its_connection_has_gone():
    assert run("test.disconnected").error_code == "ValueError"


def test_run_is_partial_when_the_job_says_so():
    ended = run("test.partial")
    assert (ended.state, ended.text, ended.result) == ("partial", "one of two", {"done": 1})


def test_run_fails_when_the_result_is_no_json():
    ended = run("test.bad_result")
    assert (ended.state, ended.error_code) == ("failed", "bad_result")


def test_soft_limit_stops_a_run_that_heeds_it():
    ended = run("test.limits", seconds=1.5)
    assert (ended.state, ended.error_code) == ("failed", "timed_out")
    assert ended.attempts[0].outcome == "timed_out"
    assert "soft" in ended.error_message


def test_soft_limit_leaves_a_job_its_own_end_when_it_catches_it():
    ended = run("test.limits", seconds=1.5, swallow=True)
    assert (ended.state, ended.result) == ("succeeded", "ended by itself")


def test_hard_limit_ends_a_run_that_heeds_nothing():
    ended = run("test.limits", seconds=4, heed=False)
    assert (ended.state, ended.error_code) == ("failed", "timed_out")
    assert "hard" in ended.error_message


def test_child_runs_in_a_process_of_its_own():
    ended = run("test.child")
    assert ended.state == "succeeded"
    kind, _, pid = ended.attempts[0].executor.split(":")
    assert kind == "child"
    assert int(pid) == ended.result["pid"]


def test_child_is_killed_at_the_hard_limit():
    ended = run("test.child_limits", seconds=60)
    assert (ended.state, ended.error_code) == ("failed", "timed_out")
    assert "hard" in ended.error_message
    assert ended.duration_ms < 12_000


def test_child_is_given_up_when_it_kills_its_process_three_times():
    ended = run("test.child", kill_self=True)
    assert (ended.state, ended.error_code) == ("failed", "gave_up")
    assert [attempt.outcome for attempt in ended.attempts] == ["lost"] * 3
    assert "SIGKILL" in ended.error_message


def test_child_that_cannot_be_started_fails_its_run(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    ended = run("test.child")
    assert (ended.state, ended.error_code, len(ended.attempts)) == ("failed", "no_process", 1)
    assert "/nowhere/python" in ended.error_message


def test_child_is_given_up_when_it_never_hears_its_order(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    ended = run("test.child", note="x" * 1_000_000)
    assert (ended.state, ended.error_code, len(ended.attempts)) == ("failed", "gave_up", 3)
    assert "exit code 1" in ended.error_message


def test_rows_written_in_a_run_stay(user_id: int):
    run("test.write", user=user_id, rows=3)
    assert rows() == 3


def test_atomic_job_writes_with_its_end(user_id: int):
    ended = run("test.atomic", user=user_id)
    assert (ended.state, rows()) == ("succeeded", 1)
    assert [line.message for line in log_lines_of(ended.id)] == ["inside"]


@pytest.fixture
def slow_keeper(engine_app: Flask) -> Iterator[None]:
    """A keeper that has taken the lines of its runs reaches the database when these have ended."""
    ledger = create_engine(db.engine.url)
    running = select(JobRun.id).where(JobRun.state == State.RUNNING)

    def all_ended() -> bool:
        with ledger.connect() as connection:
            return connection.execute(running).first() is None

    def hold(_connection: Connection) -> None:
        if threading.current_thread().name == "keeper":
            wait_until(all_ended, 10)

    event.listen(db.engine, "engine_connect", hold)
    yield
    event.remove(db.engine, "engine_connect", hold)
    ledger.dispose()


@pytest.mark.usefixtures("slow_keeper")
@pytest.mark.parametrize("lease_seconds", [30])
@pytest.mark.parametrize("job", ["test.atomic", "test.words"])
def test_line_stays_that_the_keeper_holds_when_the_run_ends(user_id: int, job: str):
    arguments = {"user": user_id} if job == "test.atomic" else {}
    ended = run(job, seconds=1.5, **arguments)  # longer than the keeper's pause
    assert [line.message for line in log_lines_of(ended.id)] == ["inside"]


def test_atomic_job_leaves_nothing_when_it_fails(user_id: int):
    assert run("test.atomic", user=user_id, fail=True).state == "failed"
    assert rows() == 0


def test_atomic_job_may_not_commit(user_id: int):
    ended = run("test.atomic", user=user_id, commit=True)
    assert (ended.state, ended.error_code) == ("failed", "commit_in_atomic")
    assert rows() == 0


def test_execute_does_nothing_when_the_run_is_not_due():
    waiting = dispatch("test.sleep")
    with db.engine.begin() as connection:
        later = read_now(connection) + timedelta(hours=1)
        connection.execute(update(JobRun).where(JobRun.id == waiting.id).values(available_at=later))
    assert not execute(waiting.id, "cli:test:1")
    assert get_run(waiting.id).attempts == []


def test_execute_does_nothing_when_the_run_has_ended():
    ended = run("test.sleep")
    assert not execute(ended.id, "cli:test:1")
    assert len(get_run(ended.id).attempts) == 1
