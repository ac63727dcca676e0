"""Cancel, retry, pause, resume, schedule."""

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import event, select, update

from k9ops.core.db import db
from k9ops.core.errors import BadInput, Conflict, NotFound
from k9ops.jobs import dispatch
from k9ops.jobs.claims import Ending, claim, end_attempt
from k9ops.jobs.control import cancel_run, retry_run
from k9ops.jobs.due import fire
from k9ops.jobs.foreground import run_here
from k9ops.jobs.models import JobAttempt, JobRun, PeriodicTask
from k9ops.jobs.queries import events_of, get_run
from k9ops.jobs.runner import execute
from k9ops.jobs.states import Outcome, Path
from k9ops.jobs.tasks import pause_task, resume_task, schedule_task, sync_tasks
from tests.support.processes import wait_until

UNKNOWN = "01940000-0000-7000-8000-000000000000"


def start(app: Flask, run_id: str) -> threading.Thread:
    def work() -> None:
        with app.app_context():
            execute(run_id, "web:test:1")

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(lambda: get_run(run_id).state == "running")
    return thread


def test_cancel_ends_a_waiting_run_at_once(engine_app: Flask):
    run = cancel_run(dispatch("test.sleep").id, "amal")
    assert (run.state, run.attempts) == ("cancelled", [])
    assert not execute(run.id, "web:test:1")
    assert events_of(run.id)[-1].actor == "amal"


def test_cancel_stops_a_running_run_that_heeds_it(engine_app: Flask):
    run = dispatch("test.sleep", {"seconds": 30})
    thread = start(engine_app, run.id)
    assert cancel_run(run.id, "amal").cancel_requested
    thread.join(10)
    ended = get_run(run.id)
    assert (ended.state, ended.attempts[0].outcome) == ("cancelled", "cancelled")


def test_cancel_ends_a_run_that_goes_back_to_waiting_just_then(engine_app: Flask):
    run = dispatch("test.sleep")
    with db.engine.begin() as connection:
        won = claim(connection, run.id, Path.IN_PROCESS, "web:test:1")

    def cancel() -> str:
        with engine_app.app_context():
            return cancel_run(run.id, "amal").state

    with ThreadPoolExecutor(1) as pool:
        with db.engine.begin() as connection:
            end_attempt(connection, won, Ending(Outcome.LOST, code="lost"))
            state = pool.submit(cancel)
            time.sleep(0.5)
        assert state.result(10) == "cancelled"


def test_cancel_is_refused_when_the_run_has_ended(engine_app: Flask):
    run = run_here(dispatch("test.sleep").id)
    with pytest.raises(Conflict, match="ended already"):
        cancel_run(run.id, "amal")


@pytest.mark.parametrize("act", [cancel_run, retry_run])
@pytest.mark.parametrize("run_id", [UNKNOWN, "nonsense", "'; --"])
def test_control_refuses_an_unknown_run(engine_app: Flask, act, run_id: str):
    with pytest.raises(NotFound):
        act(run_id, "amal")


def test_retry_adds_an_attempt_to_the_same_run(engine_app: Flask):
    run = run_here(dispatch("test.fail").id)
    again = retry_run(run.id, "amal")
    assert (again.id, again.state) == (run.id, "queued")
    ended = run_here(run.id)
    assert (ended.state, len(ended.attempts)) == ("failed", 2)


def test_ctrl_c_cancels_a_run_that_is_claimed_just_then(engine_app: Flask):
    run = dispatch("test.sleep", {"seconds": 30})

    def press(*_args: object) -> None:
        if busy:  # its own question comes by here too
            return
        busy.append(True)
        with db.engine.connect() as connection:
            claimed = connection.scalar(select(JobAttempt.id).where(JobAttempt.run_id == run.id))
        if claimed:
            signal.raise_signal(signal.SIGINT)
        else:
            busy.clear()

    busy: list[bool] = []
    event.listen(db.engine, "checkin", press)
    with pytest.raises(KeyboardInterrupt):
        run_here(run.id)
    ended = get_run(run.id)
    assert (ended.state, ended.attempts[0].outcome) == ("cancelled", "cancelled")


def test_retry_lets_a_cancelled_run_go_on(engine_app: Flask):
    run = cancel_run(dispatch("test.sleep").id, "amal")
    retry_run(run.id, "amal")
    assert run_here(run.id).state == "succeeded"


def test_retry_is_refused_when_the_run_succeeded(engine_app: Flask):
    run = run_here(dispatch("test.sleep").id)
    with pytest.raises(Conflict) as caught:
        retry_run(run.id, "amal")
    assert caught.value.code == "not_retryable"


def test_retry_is_refused_while_the_task_has_an_active_run(engine_app: Flask):
    task = schedule_task("test.sleep", every=1, overlap="skip", by="amal")
    old, active = dispatch("test.fail"), dispatch("test.sleep")
    run_here(old.id)
    with db.engine.begin() as connection:
        both = update(JobRun).where(JobRun.id.in_([old.id, active.id]))
        connection.execute(both.values(overlap_key=task.id))
    with pytest.raises(Conflict, match=active.id):
        retry_run(old.id, "amal")


def test_scheduled_run_is_tried_again_after_its_pause(engine_app: Flask):
    task = schedule_task("test.fail", every=0.2, by="amal")
    wait_until(lambda: fire(db.engine, task.id, 10))
    pause_task("test.fail", "amal")
    run_id = db.session.scalar(select(JobRun.id).order_by(JobRun.id).limit(1))
    db.session.rollback()
    assert execute(run_id, "web:test:1")
    waiting = get_run(run_id)
    assert (waiting.state, waiting.error_code) == ("queued", "ValueError")
    assert waiting.retry_at > waiting.queued_at
    ended = run_here(run_id)
    assert (ended.state, len(ended.attempts)) == ("failed", 2)


def test_wait_returns_the_run_as_it_is_when_time_is_up(engine_app: Flask):
    run = dispatch("test.sleep", via="celery")
    assert run_here(run.id, timeout=0.3).state == "queued"


def test_pause_stops_occurrences_and_resume_catches_nothing_up(engine_app: Flask):
    task = schedule_task("test.sleep", every=0.1, by="amal")
    pause_task("test.sleep", "amal")
    assert fire(db.engine, task.id, 10) == 0
    resumed = resume_task("test.sleep", "badr")
    assert resumed.watermark > task.watermark
    assert resumed.enabled


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({}, "cron"),
        ({"cron": "0 2 * * *", "every": 5}, "cron"),
        ({"cron": "nonsense"}, "cron"),
        ({"cron": "0 2 * * *", "timezone": "Mars"}, "timezone"),
        ({"every": 5, "misfire": "x"}, "misfire"),
        ({"every": 5, "overlap": "x"}, "overlap"),
    ],
)
def test_schedule_refuses_bad_input(engine_app: Flask, options: dict, field: str):
    with pytest.raises(BadInput) as caught:
        schedule_task("test.sleep", **options, by="amal")
    assert caught.value.field == field


def test_schedule_refuses_an_unknown_job(engine_app: Flask):
    with pytest.raises(NotFound, match=r"test\.slep"):
        schedule_task("test.slep", every=5, by="amal")


def test_sync_leaves_a_row_alone_once_a_person_edited_it(engine_app: Flask):
    edited = schedule_task("test.sleep", every=7, by="amal")
    sync_tasks()
    row = db.session.get_one(PeriodicTask, edited.id)
    assert (row.every_seconds, row.version) == (7, edited.version)
