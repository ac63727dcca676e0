"""Runs that wait for Celery: who looks after them, and when they run here instead."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from k9ops.core.clock import read_now
from k9ops.core.db import db
from k9ops.jobs import dispatch, enqueue
from k9ops.jobs.broker import alive_key
from k9ops.jobs.models import JobRun
from k9ops.jobs.queries import get_run
from k9ops.jobs.runtime import runtime
from k9ops.jobs.waiting import watch_waiting
from tests.support.redis import RedisServer


@pytest.fixture(autouse=True)
def live_worker(redis_server: RedisServer) -> None:
    """Somebody listens, and takes nothing."""
    with redis_server.client(1) as client:
        client.set(alive_key("k9_tasks"), "nobody", ex=60)


def rename(table: str, name: str) -> None:
    with db.engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {name}")


def age(run_id: str, seconds: float, **values: object) -> None:
    """Let the run have waited so long."""
    with db.engine.begin() as connection:
        since = read_now(connection) - timedelta(seconds=seconds)
        values["available_at"] = since
        connection.execute(update(JobRun).where(JobRun.id == run_id).values(values))


def test_run_sent_to_celery_runs_here_when_celery_is_switched_off(make_unit):
    make_unit()
    sent, meant = dispatch("test.sleep"), dispatch("test.sleep", via="celery")
    assert (sent.path, meant.path) == ("celery", "celery")
    make_unit(use_celery="false", jobs_pickup_grace_seconds=30)
    watch_waiting(db.engine)
    assert get_run(sent.id).path == "celery"
    age(sent.id, 3600)
    watch_waiting(db.engine)
    fallen = get_run(sent.id)
    assert (fallen.path, fallen.reason) == ("in_process", "celery_off")
    assert get_run(meant.id).path == "celery"


def test_run_placed_late_waits_from_when_it_was_sent(make_unit):
    make_unit(jobs_pickup_grace_seconds=30)
    run = dispatch("test.sleep")
    age(run.id, 3600, placed=False)
    watch_waiting(db.engine)
    placed = get_run(run.id)
    assert (placed.path, placed.reason, placed.republished) == ("celery", None, 0)


def test_run_that_waited_long_is_sent_again_once(make_unit, messages):
    make_unit(celery_fallback="off")
    run = dispatch("test.sleep")
    age(run.id, 3600)
    for _ in range(3):
        watch_waiting(db.engine)
    assert messages() == 2


def test_commit_succeeds_when_the_run_it_recorded_cannot_be_placed(make_unit):
    make_unit()
    rename("broker_state", "aside")
    try:
        run = enqueue("test.sleep")
        db.session.commit()
    finally:
        db.session.rollback()
        rename("aside", "broker_state")
    assert get_run(run.id).placed is False
    watch_waiting(db.engine)
    assert get_run(run.id).path == "celery"


def test_hiccup_of_the_broker_moves_no_waiting_run(make_unit, redis_server):
    make_unit(jobs_pickup_grace_seconds=30)
    run = dispatch("test.sleep")
    age(run.id, 60)
    runtime().transport.look()
    redis_server.freeze()
    watch_waiting(db.engine)
    assert get_run(run.id).path == "celery"
    for _ in range(3):  # until the breaker opens: no hiccup any more
        watch_waiting(db.engine)
    assert get_run(run.id).reason == "not_picked_up"
    redis_server.thaw()


def test_broker_that_answers_but_takes_no_message_opens_the_breaker(make_unit, redis_server):
    make_unit()
    with redis_server.client(1) as client:
        client.execute_command("ACL", "SETUSER", "default", "-lpush")
    reasons = [dispatch("test.sleep").reason for _ in range(4)]
    assert reasons == ["broker_refused"] * 3 + ["breaker_open"]
