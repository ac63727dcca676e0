"""Runs that fell back to the application: which count, and what the home page tells of them."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert

from k9ops.core.clock import utcnow
from k9ops.core.db import db, new_id
from k9ops.jobs.models import JobRun
from k9ops.monitoring.fallbacks import fell_back
from k9ops.web.formats import clock

DAY = timedelta(hours=24)


@pytest.fixture
def now() -> datetime:
    return utcnow().replace(second=0, microsecond=0)


@pytest.fixture
def fall(app, now):
    """`fall("no_worker", 30, state="failed")`: a run that fell back so many minutes ago."""

    def add(reason, minutes_ago, *, state="succeeded", path="in_process"):
        at = now - timedelta(minutes=minutes_ago)
        values = {
            "id": new_id(),
            "job": "test.sleep",
            "occurrence": f"key:{new_id()}",
            "queue": "k9_tasks",
            "priority": 5,
            "state": state,
            "path": path,
            "reason": reason,
            "queued_at": at,
            "available_at": at,
            "finished_at": None if state == "running" else at,
        }
        with app.app_context(), db.engine.begin() as connection:
            connection.execute(insert(JobRun).values(**values))

    return add


@pytest.fixture
def home(client_of, amal):
    """The text of the home page, in English."""
    return lambda: client_of(amal).get("/?lang=en").text


def test_nothing_fell_back_when_runs_went_where_they_should(app, fall, now, home):
    fall(None, 5, path="celery")
    fall("celery_off", 5)
    fall("requested", 5)
    fall("no_worker", 24 * 60 + 5)
    with app.app_context():
        assert fell_back(now - DAY) is None
    assert "fell back" not in home()


def test_runs_are_counted_by_reason_the_most_frequent_first(app, fall, now):
    fall("broker_unreachable", 50)
    fall("no_worker", 40, state="failed")
    fall("no_worker", 20, state="running")
    fall("worker_lost", 10, state="partial")
    with app.app_context():
        found = fell_back(now - DAY)
    assert found is not None
    assert list(found.reasons.items()) == [
        ("no_worker", 2),
        ("broker_unreachable", 1),
        ("worker_lost", 1),
    ]
    assert (found.count, found.ended, found.good) == (4, 3, 1)
    assert found.last - found.first == timedelta(minutes=40)


def test_home_tells_of_one_run_by_its_minute(app, fall, now, home):
    fall("broker_timeout", 30)
    with app.test_request_context():
        at = clock(now - timedelta(minutes=30))
    told = "One run fell back to the application ({}): Broker did not answer (1). It succeeded."
    assert told.format(at) in home()


def test_home_tells_of_several_with_their_span_and_their_ends(app, fall, now, home):
    for minutes in (30, 20):
        fall("no_worker", minutes)
    fall("breaker_open", 10, state="failed")
    with app.test_request_context():
        first, last = (clock(now - timedelta(minutes=minutes)) for minutes in (30, 10))
    assert (
        f"3 runs fell back to the application ({first}–{last}): "
        "No live worker (2), Breaker open (1). 2 of the 3 that ended succeeded."
    ) in home()


def test_home_says_that_all_succeeded(fall, home):
    for minutes in (30, 20):
        fall("no_worker", minutes)
    assert "No live worker (2). All succeeded." in home()
