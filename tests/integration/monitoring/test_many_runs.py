"""Many runs at once: a count first, done now or by a job, and taken along as a file."""

import re

import pytest

from k9ops.core.db import db
from k9ops.jobs import dispatch
from k9ops.jobs.foreground import run_here
from k9ops.jobs.models import JobRun
from k9ops.monitoring.bulk_views import AT_ONCE
from k9ops.monitoring.jobs import CHANGE_MANY
from tests.support.pages import send, words_of
from tests.support.statements import counted

MANY = "/runs/many"


@pytest.fixture
def page(client_of, amal):
    return client_of(amal)


@pytest.fixture
def runs(app):
    """Ids of two that failed, one that succeeded and two that wait."""
    with app.app_context():
        failed = [run_here(dispatch("test.permanent").id).id for _ in range(2)]
        good = run_here(dispatch("test.progress").id).id
        waiting = [dispatch("test.progress").id for _ in range(2)]
        return {"failed": failed, "good": good, "waiting": waiting}


def states(app, ids):
    with app.app_context():
        return [db.session.get(JobRun, one).state for one in ids]


def test_chosen_runs_are_counted_first(page, runs):
    chosen = "&".join(f"run={one}" for one in [*runs["failed"], runs["good"]])
    answer = page.get(f"{MANY}?deed=retry&{chosen}&lang=en")
    words = words_of(answer)
    assert "Try 2 runs again?" in words
    assert "Succeeded 1" in words


def test_chosen_runs_are_tried_again_and_the_others_told(page, app, runs):
    answer = send(page, MANY, deed="retry", run=[*runs["failed"], runs["good"]])
    assert answer.status_code == 303
    assert states(app, runs["failed"]) == ["queued", "queued"]
    said = words_of(page.get("/runs?lang=en")) + page.get("/runs?lang=en").text
    assert "Not possible with 1 run" in said


def test_whole_filter_is_cancelled_at_once_when_few_match(page, app, runs):
    words = words_of(page.get(f"{MANY}?deed=cancel&all=yes&state=active&lang=en"))
    assert "Cancel 2 runs?" in words
    assert send(page, MANY, deed="cancel", all="yes", state="active").status_code == 303
    assert states(app, runs["waiting"]) == ["cancelled", "cancelled"]


def test_whole_filter_is_done_by_a_job_when_many_match(page, app, runs):
    with app.app_context():
        waiting = [dispatch("test.progress").id for _ in range(AT_ONCE)]
    answer = send(page, MANY, deed="cancel", all="yes", state="queued")
    run_id = re.search(r"/runs/(.+)", answer.location)[1]
    assert set(states(app, waiting)) == {"queued"}
    with app.app_context():
        ended = run_here(run_id)
        assert (ended.job, ended.state, ended.requested_by) == (CHANGE_MANY, "succeeded", "amal")
        assert ended.result == {"done": AT_ONCE + 2, "not_possible": 0}
    assert set(states(app, waiting)) == {"cancelled"}


def test_runs_that_came_after_the_count_are_left_alone(page, app, runs):
    text = page.get(f"{MANY}?deed=cancel&all=yes&lang=en").text
    until = re.search(r'name="until" value="([^"]+)"', text)[1]
    with app.app_context():
        later = dispatch("test.progress").id
    send(page, MANY, deed="cancel", all="yes", until=until)
    assert states(app, [*runs["waiting"], later]) == ["cancelled", "cancelled", "queued"]


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"deed": "delete", "all": "yes"},
        {"deed": "retry"},
        {"deed": "retry", "run": "nonsense"},
        {"deed": "retry", "all": "yes", "until": "nonsense"},
    ],
)
def test_what_makes_no_sense_is_refused(page, app, runs, sent):
    assert send(page, MANY, **sent).status_code in (303, 404)
    assert states(app, runs["failed"]) == ["failed", "failed"]


def test_many_runs_are_for_who_may(client_of, badr):
    assert client_of(badr).get(f"{MANY}?deed=retry&all=yes").status_code == 403


def test_runs_are_exported_as_the_filters_say(page, runs):
    text = page.get("/runs/export/csv?state=failed&lang=en").text
    assert all(one in text for one in runs["failed"])
    assert runs["good"] not in text
    assert len(text.splitlines()) == 3
    sheet = page.get("/runs/export/xlsx")
    assert sheet.status_code == 200
    assert sheet.data[:2] == b"PK"


def test_list_of_runs_asks_few_statements(page, app, runs):
    page.get("/runs")
    with counted(app) as statements:
        page.get("/runs")
    assert len(statements) <= 10


@pytest.mark.parametrize("cut", [slice(None), slice(8), slice(-8, None), slice(-14, None)])
def test_run_is_found_by_its_ids_begin_and_end(page, runs, cut):
    wanted = runs["good"]
    assert f'value="{wanted}"' in page.get(f"/runs?q={wanted[cut]}").text
    assert f'value="{wanted}"' not in page.get("/runs?q=01234567").text


@pytest.mark.parametrize("words", ["PROGRESS", "test.prog", "Progress"])
def test_run_is_found_by_its_jobs_name_and_title(page, runs, words):
    text = page.get(f"/runs?q={words}").text
    assert f'value="{runs["good"]}"' in text
    assert f'value="{runs["failed"][0]}"' not in text
