"""What pages, `/readyz` and commands tell of Celery, with a real Redis in each of its states."""

import json
import time
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import update

from k9ops.audit.queries import AuditFilter, list_entries
from k9ops.core.clock import read_now
from k9ops.core.db import db
from k9ops.jobs import dispatch
from k9ops.jobs.models import JobRun
from k9ops.jobs.queries import get_run
from k9ops.jobs.runtime import runtime
from k9ops.jobs.waiting import watch_waiting
from k9ops.monitoring.workers import known_celery
from tests.integration.monitoring.test_pages import STATEMENTS_AT_MOST, counted
from tests.support.databases import on_one_kind
from tests.support.people import sign_in, signed_in_client
from tests.support.waiting import wait_until

#: How long a page may take beside a sick Redis.
PATIENCE = 0.5
GRACE = 30


@pytest.fixture
def settings(redis_server):
    return {"celery_broker_url": redis_server.url(1), "jobs_pickup_grace_seconds": GRACE}


@pytest.fixture
def make_unit(make_app, settings):
    """`make_unit()`: an application with a broker, as a process that has just started."""

    def make(**others):
        return make_app(jobs_extra_modules=("tests.support.jobs",), **settings | others)

    return make


@pytest.fixture
def app(make_unit):
    return make_unit()


@pytest.fixture
def waits_for_celery(make_unit):
    """The application without a fallback."""
    return make_unit(celery_fallback="off")


@pytest.fixture
def page(client_of, amal):
    return client_of(amal)


@pytest.fixture
def work(make_instance, database_url, settings, app):
    """`work("backups")`: a worker on these queues, of which the application knows."""
    instance = make_instance(
        database_url=database_url, jobs_extra_modules="tests.support.jobs", **settings
    )

    def start(*queues):
        worker = instance.worker(*queues)
        wait_until(lambda: look(app).workers)
        return worker

    return start


def look(app):
    """Look at the broker as a process that executes does each moment; what is known then."""
    with app.app_context():
        runtime().transport.watch.look()
        return known_celery()


def ask(app, *names, **options):
    """The ids of new runs of these jobs."""
    with app.app_context():
        return [dispatch(name, **options).id for name in names]


def checks(app):
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 200
    return answer.json["checks"]


def make_late(app, run_id):
    """As if the run had been waiting for more than the grace."""
    with app.app_context():
        past = read_now(db.session()) - timedelta(seconds=2 * GRACE)
        db.session.execute(update(JobRun).where(JobRun.id == run_id).values(available_at=past))
        db.session.commit()
        watch_waiting(db.engine)


def in_time(*asks):
    """What the first of these gives that is in time; each asks an application just started.

    A wait for Redis would hold up each of them, a pause of the machine only one.
    """
    took = []
    for ask in asks:
        began = time.monotonic()
        found = ask()
        took.append(time.monotonic() - began)
        if took[-1] < PATIENCE:
            return found
    pytest.fail(f"all took longer than {PATIENCE} s: {took}")


def state_in_top_bar(app):
    return app.test_client().get("/sign-in?lang=en").text


# /readyz


@on_one_kind
def test_readyz_tells_who_works_when_a_worker_listens_to_every_queue(app, work):
    work()
    found = checks(app)
    assert (found["broker"]["status"], found["worker"]["status"]) == ("ok", "ok")
    assert found["broker"]["detail"].startswith("Redis answered in ")
    assert found["broker"]["age_seconds"] < 5
    assert found["worker"]["detail"] == "1 worker live; every queue has one."


@on_one_kind
def test_readyz_names_the_queues_that_no_worker_listens_to(app, work):
    work("backups,reports,schedules")
    worker = checks(app)["worker"]
    assert worker["status"] == "degraded"
    assert worker["detail"] == "No live worker listens to: k9_tasks, notifications."


def test_readyz_answers_in_time_when_redis_is_frozen_from_the_start(make_unit, redis_server):
    redis_server.freeze()
    found = in_time(*(partial(checks, make_unit()) for _ in range(3)))
    broker = found["broker"]
    assert (broker["status"], broker["age_seconds"]) == ("degraded", None)
    assert "It has not answered since this process started." in broker["detail"]
    assert found["worker"]["detail"] == "Not known: the broker has not answered."


@on_one_kind
def test_readyz_tells_the_age_of_what_it_knows_when_redis_freezes(app, work, redis_server):
    work()
    redis_server.freeze()
    time.sleep(1)
    look(app)
    began = time.monotonic()
    found = checks(app)
    assert time.monotonic() - began < PATIENCE
    assert found["broker"]["status"] == found["worker"]["status"] == "degraded"
    assert found["broker"]["age_seconds"] > 1
    assert found["broker"]["detail"].startswith("The broker did not answer in time. It answered")
    assert found["worker"]["detail"] == "Not known: 1 worker live when the broker answered last."


def test_readyz_says_that_the_breaker_is_open_when_redis_is_back(app, redis_server):
    redis_server.freeze()
    ask(app, *["test.sleep"] * 3)
    redis_server.thaw()
    look(app)
    broker = checks(app)["broker"]
    assert broker["status"] == "degraded"
    assert broker["detail"].startswith("Redis answered in ")
    assert "did not answer in time. The breaker is open; asked again in 1" in broker["detail"]


@on_one_kind
def test_readyz_tells_no_secret_when_redis_refuses(make_unit, make_redis):
    server = make_redis(password="three old kennels")
    app = make_unit(celery_broker_url=server.url(1, password="one new kennel"))
    answer = app.test_client().get("/readyz")
    assert answer.json["checks"]["broker"]["detail"].startswith("The broker refused")
    for secret in ("kennel", "127.0.0.1", "redis://", str(server.port)):
        assert secret not in answer.text


def test_readyz_counts_runs_that_wait_when_the_fallback_is_off(waits_for_celery, redis_server):
    app = waits_for_celery
    ask(app, "test.sleep", "test.sleep")
    told = "2 runs wait for Celery: the fallback is off."
    assert checks(app)["worker"]["detail"].endswith(told)
    redis_server.freeze()
    look(app)
    assert checks(app)["broker"]["detail"].endswith(told)


@on_one_kind
def test_readyz_asks_no_broker_when_celery_is_off(make_unit, redis_server):
    redis_server.freeze()
    found = checks(make_unit(use_celery="false"))
    assert (found["broker"]["status"], found["worker"]["status"]) == ("off", "off")


# The top bar, which anybody may see


@on_one_kind
def test_top_bar_counts_the_workers(app, work):
    work()
    assert "Celery up · 1 worker<" in state_in_top_bar(app)


@on_one_kind
@pytest.mark.parametrize(
    ("fallback", "follows"), [("on", "jobs run in process"), ("off", "jobs wait")]
)
def test_top_bar_tells_what_follows_when_celery_cannot(make_unit, redis_server, fallback, follows):
    app = make_unit(celery_fallback=fallback)
    assert f"Celery up · no worker: {follows}" in state_in_top_bar(app)
    redis_server.freeze()
    look(app)
    assert f"The broker does not answer: {follows}" in state_in_top_bar(app)


def test_top_bar_says_that_the_breaker_is_open(app, redis_server):
    redis_server.freeze()
    ask(app, *["test.sleep"] * 3)
    redis_server.thaw()
    look(app)
    assert "The breaker is open: jobs run in process" in state_in_top_bar(app)


# The board


@on_one_kind
def test_board_shows_workers_and_queues_and_keeps_them_when_redis_freezes(
    app, page, work, redis_server
):
    work("backups,reports")
    text = page.get("/jobs?lang=en").text
    for words in (
        "Workers and queues",
        "worker-0@",
        "backups, reports",
        "No live worker",
        "Closed",
    ):
        assert words in text
    redis_server.freeze()
    look(app)
    began = time.monotonic()
    text = page.get("/jobs/live?lang=en").text
    assert time.monotonic() - began < PATIENCE
    for words in ("The broker has not answered for", "worker-0@", "Below is what was known then"):
        assert words in text


@pytest.mark.parametrize("path", ["/jobs", "/", "/runs"])
def test_page_answers_in_time_when_redis_is_frozen_from_the_start(
    make_unit, amal, redis_server, path
):
    redis_server.freeze()
    clients = [signed_in_client(make_unit(), amal) for _ in range(3)]
    assert in_time(*(partial(client.get, path) for client in clients)).status_code == 200


def test_board_tells_how_many_runs_fell_back(app, page):
    assert "fell back" not in page.get("/jobs?lang=en").text
    ask(app, "test.sleep", "test.sleep")
    ask(app, "test.sleep", via="here")
    text = page.get("/jobs?lang=en").text
    assert "2 runs fell back to in-process in the last 24 hours" in text
    assert "/runs?path=in_process&amp;reason=no_worker&amp;when=24h" in text
    assert "Succeeded: 0 of 2." in text


def test_board_tells_each_reason_when_runs_fell_back_for_several(app, page, redis_server):
    ask(app, "test.sleep", "test.sleep")
    redis_server.freeze()
    ask(app, "test.sleep")
    text = page.get("/jobs?lang=en").text
    assert "No live worker: 2" in text
    assert "Broker did not answer: 1" in text


def test_board_says_what_to_do_when_runs_wait_and_the_fallback_is_off(waits_for_celery, amal, page):
    ask(waits_for_celery, "test.sleep")
    assert "the fallback is off" not in page.get("/jobs?lang=en").text
    client = sign_in(waits_for_celery.test_client(), amal)
    text = client.get("/jobs?lang=en").text
    assert "One run waits for Celery: the fallback is off" in text
    assert "set CELERY_FALLBACK=on" in text


def test_board_tells_nothing_of_celery_when_it_is_off(make_unit, amal):
    client = sign_in(make_unit(use_celery="false").test_client(), amal)
    assert "Workers and queues" not in client.get("/jobs?lang=en").text


def test_board_asks_few_statements_when_everything_is_told(waits_for_celery, amal, redis_server):
    client = sign_in(waits_for_celery.test_client(), amal)
    ask(waits_for_celery, "test.sleep")
    redis_server.freeze()
    ask(waits_for_celery, *["test.sleep"] * 3)
    look(waits_for_celery)
    with counted(waits_for_celery) as statements:
        assert "runs wait for Celery" in client.get("/jobs?lang=en").text
    assert len(statements) <= STATEMENTS_AT_MOST, "\n".join(statements)


# One run


def test_run_that_waits_says_so_and_tells_when_it_is_sent_again(app, page):
    (run_id,) = ask(app, "test.sleep", via="celery")
    assert "Waiting for a Celery worker." in page.get(f"/runs/{run_id}?lang=en").text
    make_late(app, run_id)
    assert "Sent to Celery again" in page.get(f"/runs/{run_id}?lang=en").text


def test_run_that_nobody_took_tells_that_it_runs_here(waits_for_celery, app, page):
    (run_id,) = ask(waits_for_celery, "test.sleep")
    make_late(app, run_id)
    text = page.get(f"/runs/{run_id}?lang=en").text
    assert "Not taken by Celery: runs here" in text
    assert "In process: Not picked up" in text


# The command line


@on_one_kind
def test_run_by_command_says_that_it_is_queued_on_celery(app, runner):
    done = runner.invoke(args=["jobs", "run", "test.sleep", "--via", "celery"])
    assert done.exit_code == 0
    run_id = done.stdout.splitlines()[1].split()[0]
    assert f"Queued on Celery. `flask jobs show {run_id}`" in done.stdout


@on_one_kind
def test_run_by_command_says_that_celery_is_off(make_unit):
    runner = make_unit(use_celery="false").test_cli_runner()
    done = runner.invoke(args=["jobs", "run", "test.sleep", "--via", "celery", "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["state"] == "queued"
    assert done.stderr.strip() == "Celery is switched off; the run waits until it is on."


def test_purge_removes_messages_and_no_runs(app, runner):
    runs = ask(app, "test.sleep", "test.sleep", via="celery")
    done = runner.invoke(args=["jobs", "purge", "k9_tasks", "--yes", "--json"])
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"queue": "k9_tasks", "removed": 2})
    assert look(app).lengths["k9_tasks"] == 0
    with app.app_context():
        assert {get_run(run_id).state for run_id in runs} == {"queued"}
        entry = list_entries(db.session(), AuditFilter()).items[0]
        assert (entry.action, entry.target_id, entry.detail) == (
            "queue.purged",
            "k9_tasks",
            {"messages": 2},
        )


@on_one_kind
@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (("k9_task", "--yes"), "no_queue", "k9_tasks, backups, reports"),
        (("k9_tasks",), "not_confirmed", "give --yes"),
        ((), "usage", "--help"),
    ],
)
def test_purge_is_refused_with_its_remedy(app, runner, arguments, code, hint):
    ask(app, "test.sleep", via="celery")
    done = runner.invoke(args=["jobs", "purge", *arguments, "--json"])
    error = json.loads(done.stdout)["error"]
    assert (done.exit_code, error["code"]) == (2, code)
    assert hint in error["hint"]
    assert look(app).lengths["k9_tasks"] == 1


@on_one_kind
def test_purge_fails_in_words_when_the_broker_does_not_answer(app, runner, redis_server):
    redis_server.freeze()
    began = time.monotonic()
    done = runner.invoke(args=["jobs", "purge", "k9_tasks", "--yes"])
    assert (done.exit_code, time.monotonic() - began < 3) == (1, True)
    assert "The queue could not be purged" in done.stderr


@on_one_kind
def test_purge_is_refused_when_celery_is_off(make_unit):
    runner = make_unit(use_celery="false").test_cli_runner()
    done = runner.invoke(args=["jobs", "purge", "k9_tasks", "--yes", "--json"])
    assert (done.exit_code, json.loads(done.stdout)["error"]["code"]) == (2, "celery_off")
