"""Running a job with arguments: a form made of its signature, checked against it."""

import pytest
from sqlalchemy import select

from k9ops.core.db import db
from k9ops.jobs.foreground import run_here
from k9ops.jobs.models import JobRun
from k9ops.jobs.registry import catalogue
from tests.support.pages import faults, send, typed, words_of

FORM = "/jobs/test.typed/arguments"
RIGHT = {
    "arg-day": "2026-11-30",
    "arg-count": "3",
    "arg-kind": "small",
    "arg-share": "",
    "arg-loud": "y",
    "arg-extra": "",
    "arg-the-way": "auto",
}


@pytest.fixture
def page(client_of, amal):
    return client_of(amal)


def newest_run():
    return db.session.scalars(select(JobRun).order_by(JobRun.id.desc())).first()


def test_form_is_made_of_the_signature(page):
    text = page.get(f"{FORM}?lang=en").text
    for title in ("The day", "How many", "Which", "Share", "Loud", "More"):
        assert title in text
    assert 'type="date"' in text
    assert '<option value="small" selected>' in text
    assert typed(text, "arg-count") == "3"


def test_run_gets_only_what_differs_from_the_defaults_and_typed_values(page, app):
    sent = RIGHT | {"arg-count": "5", "arg-share": "0.5", "arg-extra": '{"a": [1]}'}
    answer = send(page, FORM, **sent)
    assert answer.status_code == 303
    with app.app_context():
        run = newest_run()
        given = {"day": "2026-11-30", "count": 5, "share": 0.5, "extra": {"a": [1]}}
        assert run.arguments == given
        assert answer.location.endswith(f"/runs/{run.id}")
        assert run_here(run.id).result["day"] == "30.11.2026"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("arg-day", "", "This is needed."),
        ("arg-day", "30/11", "Give a day such as 2026-11-30."),
        ("arg-count", "0", "Give 1 at least."),
        ("arg-count", "10", "Give 9 at most."),
        ("arg-count", "many", "Give a whole number."),
        ("arg-share", "half", "Give a number."),
        ("arg-share", "inf", "Give a number."),
        ("arg-extra", "{a}", "This is no JSON."),
        ("arg-extra", "[1]", "Give a JSON object"),
        ("arg-extra", '{"a": NaN}', "This is no JSON."),
        ("arg-extra", r'{"a": "\ud800"}', "This is no JSON."),
        ("arg-extra", f'{{"a": {"[" * 300}{"]" * 300}}}', "This is no JSON."),
    ],
)
def test_wrong_argument_is_told_beside_its_field_and_kept(page, app, name, text, told):
    answer = send(page, FORM, **RIGHT | {name: text})
    assert answer.status_code == 422
    assert told in words_of(answer)
    assert f'id="{name}-fault"' in answer.text
    assert text.replace('"', "&#34;") in answer.text
    with app.app_context():
        assert newest_run() is None


@pytest.mark.parametrize(("name", "value"), [("arg-kind", "huge"), ("arg-the-way", "by foot")])
def test_choice_that_is_not_offered_is_refused(page, name, value):
    assert send(page, FORM, **RIGHT | {name: value}).status_code == 422


def test_all_faults_are_told_at_once(page):
    text = send(page, FORM, **RIGHT | {"arg-day": "", "arg-count": "x"}).text
    assert "2 fields are wrong" in text
    assert faults(text.replace("arg-", "arg_")).keys() == {"arg_day", "arg_count"}


def test_form_is_filled_in_from_an_earlier_run(page, app):
    send(page, FORM, **RIGHT | {"arg-count": "7"})
    with app.app_context():
        run = newest_run()
        run_here(run.id)
    assert f"{FORM}?run={run.id}" in page.get(f"/runs/{run.id}").text
    text = page.get(f"{FORM}?run={run.id}&lang=en").text
    assert typed(text, "arg-count") == "7"
    assert typed(text, "arg-day") == "2026-11-30"


def test_board_leads_to_the_form_where_an_argument_is_needed(page):
    text = page.get("/jobs?lang=en").text
    assert f'href="{FORM}"' in text
    assert 'action="/jobs/test.typed/run"' not in text
    assert 'action="/jobs/test.progress/run"' in text


def test_form_is_for_known_jobs_and_who_may(page, client_of, badr):
    assert page.get("/jobs/test.nothing/arguments").status_code == 404
    assert client_of(badr).get(FORM).status_code == 403


def test_every_argument_of_the_products_jobs_has_a_title(context):
    for job in catalogue().values():
        if not job.name.startswith("test."):
            assert set(job.arguments) == set(job.arguments_model.model_fields), job.name
