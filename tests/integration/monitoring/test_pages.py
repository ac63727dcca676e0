"""The pages of jobs and runs as an administrator meets them."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from k9ops.core.db import db
from k9ops.jobs import dispatch
from k9ops.jobs.due import fire
from k9ops.jobs.foreground import run_here
from k9ops.jobs.models import JobEffect, PeriodicTask
from k9ops.jobs.queries import get_run
from k9ops.jobs.tasks import schedule_task
from tests.support.people import csrf_token
from tests.support.statements import counted

STATEMENTS_AT_MOST = 25


@pytest.fixture
def page(client_of, amal):
    return client_of(amal)


@pytest.fixture
def asked(app):
    """`asked("test.sleep", seconds=1)`: a run that waits."""

    def ask(name, **arguments):
        with app.app_context():
            return dispatch(name, arguments)

    return ask


@pytest.fixture
def ended(app, asked):
    """`ended("test.sleep")`: a run that has ended."""

    def end(name, **arguments):
        run = asked(name, **arguments)
        with app.app_context():
            return run_here(run.id)

    return end


def post(client, address):
    fields = {"csrf_token": csrf_token(client.get("/jobs?lang=en").text)}
    return client.post(address, data=fields, follow_redirects=True)


def test_jobs_show_health_and_last_run_when_one_failed(page, ended):
    ended("test.permanent")
    text = page.get("/jobs?lang=en").text
    assert "Failing" in text
    assert "Celery switched off" in text


def test_jobs_show_only_those_of_the_chosen_health(page, ended):
    ended("test.permanent")
    text = page.get("/jobs/live?health=failing&lang=en").text
    assert "test.permanent" in text
    assert "test.partial" not in text


def test_run_job_records_a_run_and_leads_to_it(page):
    text = post(page, "/jobs/test.progress/run").text
    assert "was asked for" in text
    assert "Queued" in text


@pytest.mark.parametrize(
    ("language", "said"), [("en", "There is no such job."), ("ar", "لا توجد مهمة بهذا الاسم.")]
)
def test_run_job_says_so_when_there_is_no_such_job(page, language, said):
    answer = post(page, f"/jobs/test.progres/run?lang={language}")
    assert answer.status_code == 404
    assert said in answer.text


def test_task_is_paused_by_name_and_resumed(page, app):
    with app.app_context():
        schedule_task("test.progress", cron="0 3 * * *", by="amal")
    assert "Pause “" in page.get("/jobs/test.progress/pause/confirm?lang=en").text
    paused = post(page, "/jobs/test.progress/pause").text
    assert "Paused" in paused
    assert "amal" in paused
    assert "daily" in post(page, "/jobs/test.progress/resume").text


def test_pause_is_refused_in_words_when_the_job_has_no_schedule(page):
    answer = post(page, "/jobs/test.sleep/pause")
    assert answer.status_code == 404
    assert "has no schedule" in answer.text


@pytest.mark.parametrize(
    ("query", "seen", "unseen"),
    [
        ("state=failed", "test.permanent", "test.partial"),
        ("state=trouble", "test.partial", "test.progress"),
        ("job=test.progress", "test.progress", "test.partial"),
        ("path=celery", "", "test.partial"),
        ("reason=celery_off", "test.partial", ""),
        ("q=never work", "test.permanent", "test.partial"),
        ("when=1h&state=succeeded", "test.progress", "test.permanent"),
        ("state=nonsense", "test.partial", ""),
    ],
)
def test_runs_are_narrowed_by_the_address(page, query, seen, unseen, ended):
    ids = {name: ended(name).id for name in ("test.permanent", "test.partial", "test.progress")}
    text = page.get(f"/runs?{query}&lang=en").text
    assert not seen or ids[seen] in text
    assert not unseen or ids[unseen] not in text


def test_runs_offer_to_clear_when_nothing_matches(page):
    text = page.get("/runs?q=nothing-like-this&lang=en").text
    assert "No run matches these filters" in text
    assert "Clear the filters" in text


def test_runs_page_by_key_in_both_directions(page, asked):
    ids = [asked("test.progress").id for _ in range(30)]
    first = page.get("/runs?lang=en").text
    assert ids[-1] in first
    assert ids[0] not in first
    second = page.get(f"/runs?before={ids[5]}&lang=en").text
    assert ids[0] in second
    assert f"after={ids[4]}" in second
    assert page.get("/runs?before=nonsense").status_code == 404


def test_news_count_what_came_in_and_matches(page, asked):
    first = asked("test.progress")
    shown = page.get("/runs?job=test.progress&lang=en").text
    assert f"newest={first.id}" in shown
    asked("test.partial")
    asked("test.progress")
    news = page.get(f"/runs/news?job=test.progress&newest={first.id}&lang=en").text
    assert "One new run" in news
    assert 'href="/runs?job=test.progress' in news


def test_run_tells_path_reason_log_and_result(page, ended):
    run = ended("test.progress")
    text = page.get(f"/runs/{run.id}?lang=en").text
    for words in ("Succeeded at once, in process.", "Celery is switched off", "all steps done"):
        assert words in text
    assert "data-live" not in text


def test_run_shows_traceback_folded_when_it_failed(page, ended):
    run = ended("test.permanent")
    text = page.get(f"/runs/{run.id}?lang=en").text
    assert "this will never work" in text
    assert "<summary>Traceback</summary>" in text
    assert "Try again" in text


def test_run_escapes_what_the_job_says(page, ended):
    run = ended("test.fail", text="<script>alert(1)</script>")
    text = page.get(f"/runs/{run.id}").text
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text


def test_run_is_cancelled_and_tried_again_by_its_buttons(page, asked, app):
    run = asked("test.progress")
    assert "Cancel this run" in page.get(f"/runs/{run.id}/cancel/confirm?lang=en").text
    assert "Cancelled before it ran." in post(page, f"/runs/{run.id}/cancel").text
    assert "nothing is left to cancel" in post(page, f"/runs/{run.id}/cancel").text
    assert "Waiting for somebody" in post(page, f"/runs/{run.id}/retry").text
    with app.app_context():
        assert get_run(run.id).state == "queued"


def test_run_again_is_a_new_run_with_the_same_arguments(page, ended):
    run = ended("test.progress", steps=2)
    assert "was asked for" in post(page, f"/runs/{run.id}/again").text
    newest = page.get("/runs?state=queued").text
    assert run.id not in newest


def test_run_log_is_a_whole_text_file(page, ended):
    run = ended("test.progress")
    answer = page.get(f"/runs/{run.id}/log.txt")
    assert answer.mimetype == "text/plain"
    assert "all steps done" in answer.text


def test_run_page_is_not_found_when_there_is_none(page):
    assert page.get("/runs/nothing").status_code == 404


def test_home_tells_what_needs_the_administrator(page, ended):
    ended("test.permanent")
    text = page.get("/?lang=en").text
    assert "failed" in text
    assert "this will never work" in text
    assert "Open the run" in text


def test_home_shows_a_handler_only_their_own(client_of, badr):
    text = client_of(badr).get("/?lang=en").text
    assert "Unread notifications" in text
    assert "Job health" not in text


@pytest.mark.parametrize("path", ["/", "/jobs", "/runs", "/runs?state=missed", "/notifications"])
def test_page_asks_few_statements(page, path, ended, app):
    for name in ("test.permanent", "test.partial", "test.progress"):
        ended(name)
    with counted(app) as statements:
        assert page.get(path).status_code == 200
    assert len(statements) <= STATEMENTS_AT_MOST, "\n".join(statements)


def test_run_page_asks_few_statements(page, ended, app):
    run = ended("test.progress")
    with counted(app) as statements:
        page.get(f"/runs/{run.id}")
    assert len(statements) <= STATEMENTS_AT_MOST


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Missed 3 times, from"), ("ar", "فات 3 مواعيد، من")]
)
def test_runs_tell_of_a_gap(page, app, language, words):
    with app.app_context():
        task = schedule_task("test.sleep", every=600, misfire="skip", by="amal")
        since = task.watermark - timedelta(minutes=35)
        values = {"anchor_at": since, "watermark": since, "next_due_at": since}
        db.session.execute(update(PeriodicTask).where(PeriodicTask.id == task.id).values(values))
        db.session.commit()
        fire(db.engine, task.id, 10)
    assert words in page.get(f"/runs?state=missed&lang={language}").text


def test_run_page_tells_effects_without_what_opens_doors(page, app, ended):
    run = ended("test.effect")
    with app.app_context():
        found = db.session.scalars(select(JobEffect).filter_by(run_id=run.id)).one()
        found.receipt = {"file": "a.zst", "session": "https://drive/secret-address"}
        db.session.commit()
    text = page.get(f"/runs/{run.id}?lang=en").text
    assert "Effects" in text
    assert "a.zst" in text
    assert "secret-address" not in text
