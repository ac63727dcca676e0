"""Jobs as Celery tasks, and the choice of the path, without a worker."""

import time
from datetime import timedelta

import pytest
from celery import Celery
from flask import Flask
from sqlalchemy import update

from k9ops.core.clock import read_now
from k9ops.core.db import db
from k9ops.core.errors import BadInput
from k9ops.jobs import dispatch, enqueue
from k9ops.jobs.broker import alive_key
from k9ops.jobs.celery_app import RUN_HEADER, make_celery
from k9ops.jobs.control import cancel_run, retry_run
from k9ops.jobs.foreground import run_here
from k9ops.jobs.models import BrokerState, JobRun
from k9ops.jobs.native import register_tasks
from k9ops.jobs.queries import get_run
from k9ops.jobs.registry import catalogue
from k9ops.jobs.results import JobFailed
from k9ops.jobs.runner import take
from k9ops.jobs.runtime import runtime
from k9ops.jobs.scheduler import EngineService
from k9ops.jobs.states import Path
from k9ops.jobs.waiting import watch_waiting
from tests.support.redis import RedisServer
from tests.support.waiting import wait_until


def tasks_of(app: Flask) -> Celery:
    celery = make_celery(runtime().settings, catalogue().values())
    register_tasks(celery, app)
    return celery


def pretend_worker(redis_server: RedisServer) -> None:
    """Say that somebody listens, without anybody who takes a message."""
    with redis_server.client(1) as client:
        client.set(alive_key("k9_tasks"), "nobody", ex=5)


def test_run_is_sent_when_a_worker_lives(make_unit, redis_server, messages):
    make_unit()
    pretend_worker(redis_server)
    run = dispatch("test.sleep")
    assert (run.path, run.reason, run.state) == ("celery", None, "queued")
    assert messages() == 1
    assert dispatch("test.sleep", key="one").id == dispatch("test.sleep", key="one").id
    assert messages() == 2


def test_run_recorded_in_a_transaction_is_sent_after_its_commit(make_unit, redis_server, messages):
    make_unit()
    pretend_worker(redis_server)
    run = enqueue("test.sleep")
    assert (run.path, messages()) == (None, 0)
    db.session.commit()
    assert (get_run(run.id).path, messages()) == ("celery", 1)


def test_run_whose_process_died_before_it_was_sent_is_placed_by_the_watch(make_unit, redis_server):
    make_unit()
    with db.engine.begin() as connection:
        run_id = dispatch("test.sleep", via="here").id
    with db.engine.begin() as connection:
        table = JobRun.__table__
        lost = {"placed": False, "path": None, "reason": None, "via": "auto"}
        connection.execute(table.update().where(table.c.id == run_id).values(lost))
    assert watch_waiting(db.engine) == 1
    run = get_run(run_id)
    assert (run.placed, run.path, run.reason) == (True, "in_process", "no_worker")


def test_run_that_nobody_takes_is_sent_again_and_then_runs_here(make_unit, redis_server, messages):
    make_unit(jobs_pickup_limit_seconds=1.5)
    pretend_worker(redis_server)
    run = dispatch("test.sleep")
    assert wait_until(lambda: watch_waiting(db.engine), 5, pause=0.02) == 1
    assert (get_run(run.id).path, messages()) == ("celery", 2)

    def fallen():
        watch_waiting(db.engine)
        return get_run(run.id).path == "in_process"

    wait_until(fallen, 5)
    assert get_run(run.id).reason == "not_picked_up"
    assert run_here(run.id).state == "succeeded"


def test_run_waits_when_only_celery_may_have_it(make_unit, redis_server):
    make_unit(celery_fallback="off")
    run = dispatch("test.sleep")
    time.sleep(0.3)
    watch_waiting(db.engine)
    assert (get_run(run.id).path, get_run(run.id).state) == ("celery", "queued")
    redis_server.stop()
    waits = dispatch("test.sleep")
    assert (waits.path, waits.state) == ("celery", "queued")


def test_cancelled_run_has_the_path_of_its_last_attempt_or_none(make_unit, redis_server):
    make_unit()
    pretend_worker(redis_server)
    assert cancel_run(dispatch("test.sleep").id, "amal").path is None
    failed = run_here(dispatch("test.permanent", via="here").id)
    retried = retry_run(failed.id, "amal")
    assert cancel_run(retried.id, "amal").reason == "requested"


def test_retry_tries_celery_first(make_unit, redis_server):
    make_unit()
    failed = run_here(dispatch("test.permanent").id)
    assert (failed.path, failed.reason) == ("in_process", "no_worker")
    pretend_worker(redis_server)
    again = retry_run(failed.id, "amal")
    assert (again.path, again.reason, again.state) == ("celery", None, "queued")


def test_apply_executes_at_once_and_leaves_a_run(make_unit):
    task = tasks_of(make_unit()).tasks["test.sleep"]
    result = task.apply(kwargs={"seconds": 0})
    assert (result.state, result.result) == ("SUCCESS", {"slept": 0})
    run = db.session.query(JobRun).one()
    assert (run.occurrence, run.path, run.reason) == (
        f"celery:{result.id}", "in_process", "requested",
    )  # fmt: skip


def test_apply_fails_as_its_run_does(make_unit):
    result = tasks_of(make_unit()).tasks["test.permanent"].apply()
    assert isinstance(result.result, JobFailed)
    assert "this will never work" in str(result.result)


def test_apply_waits_when_an_executor_takes_its_run_first(make_unit):
    app = make_unit()
    service = EngineService(app, "web", ticks=False)
    service.start()
    task = tasks_of(app).tasks["test.sleep"]
    try:
        states = [task.apply(kwargs={"seconds": 0.02}).state for _ in range(20)]
    finally:
        service.stop()
    assert set(states) == {"SUCCESS"}


def test_eager_mode_executes_what_is_dispatched(make_unit):
    app = make_unit(celery_task_always_eager=True)
    run = dispatch("test.sleep")
    assert (run.state, run.path, run.reason) == ("succeeded", "in_process", "requested")
    assert tasks_of(app).tasks["test.sleep"].delay(0).state == "SUCCESS"


def test_delay_takes_positions_and_names(make_unit):
    task = tasks_of(make_unit()).tasks["test.sleep"]
    result = task.delay(0.5, journal="")
    run = db.session.query(JobRun).filter_by(occurrence=f"celery:{result.id}").one()
    assert run.arguments == {"seconds": 0.5, "journal": ""}


@pytest.mark.parametrize("call", [{"args": ("a", "b", "c", "d")}, {"kwargs": {"speed": 1}}])
def test_delay_refuses_arguments_that_the_job_does_not_take(make_unit, call):
    task = tasks_of(make_unit()).tasks["test.sleep"]
    with pytest.raises(BadInput):
        task.apply_async(**call)


def test_delay_refuses_options_that_the_ledger_does_not_have(make_unit):
    task = tasks_of(make_unit()).tasks["test.sleep"]
    with pytest.raises(BadInput, match="countdown"):
        task.apply_async(countdown=60)


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("01a1fd8e-c89e-79d3-82d4-8b07ea7804e2", "unknown_messages"),
        ("no id at all", "unknown_messages"),
        (12, "unknown_messages"),
        (None, "stale_messages"),
    ],
)
def test_message_of_no_waiting_run_is_dropped_and_counted(make_unit, header, column):
    task = tasks_of(make_unit()).tasks["test.sleep"]
    if header is None:
        header = run_here(dispatch("test.sleep").id).id
    task.push_request(headers={RUN_HEADER: header}, called_directly=False, id="t")
    try:
        task.run()
    finally:
        task.pop_request()
    view = runtime().transport.breaker.view()
    assert getattr(view, column) == 1


def test_breaker_closes_when_the_clock_was_set_back(make_unit, redis_server):
    make_unit(jobs_breaker_failures=1, jobs_breaker_seconds=60)
    redis_server.stop()
    assert dispatch("test.sleep").reason == "broker_unreachable"
    redis_server.start()
    assert dispatch("test.sleep").reason == "breaker_open"
    with db.engine.begin() as connection:
        later = read_now(connection) + timedelta(hours=1)
        connection.execute(update(BrokerState).values(open_until=later))
    time.sleep(1.1)
    assert dispatch("test.sleep").reason == "no_worker"
    assert runtime().transport.breaker.view().open_until is None


def test_message_with_wrong_arguments_is_dropped_and_counted(make_unit):
    task = tasks_of(make_unit()).tasks["test.sleep"]
    task.push_request(headers={}, called_directly=False, id="t")
    try:
        task.run(seconds="long")
    finally:
        task.pop_request()
    assert runtime().transport.breaker.view().unknown_messages == 1
    assert db.session.query(JobRun).count() == 0


def test_run_that_was_asked_for_here_is_no_workers(make_unit):
    make_unit()
    run = dispatch("test.sleep", via="here")
    assert take(run.id, "worker:test:1", Path.CELERY) is None
