"""What is decided of a job on its pages, in a browser: its schedule, its arguments."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.support.people import AMAL
from tests.support.walking import look_at, sign_in, visit

PAGE = "/jobs/test.words/schedule"


@pytest.fixture
def instance(make_instance, database_url):
    """Web processes that serve pages and do not tick."""
    jobs = ("tests.support.jobs",)
    return make_instance(
        database_url=database_url, jobs_extra_modules=jobs, jobs_scheduler="standalone"
    )


@pytest.fixture
def scheduler(instance, server):
    """`flask scheduler`: the process that ticks, and serves no page."""
    process = instance.spawn("scheduler")
    yield process
    process.terminate()
    process.communicate(timeout=40)


@pytest.fixture
def first_run(instance, make_app):
    """`first_run()`: when the job's first run was due and began, and who executes; None so far."""
    app = make_app()

    def look():
        from sqlalchemy import select

        from k9ops.core.db import db
        from k9ops.jobs.models import JobAttempt, JobRun

        with app.app_context():
            return db.session.execute(
                select(JobRun.due_at, JobAttempt.started_at, JobAttempt.executor)
                .join(JobAttempt, JobAttempt.run_id == JobRun.id)
                .where(JobRun.job == "test.words")
                .order_by(JobRun.id)
            ).first()

    return look


def save_interval(page, seconds: str) -> datetime:
    page.goto(f"{PAGE}?lang=en")
    page.get_by_label("At an interval").check()
    page.get_by_label("Every", exact=True).fill(seconds)
    page.get_by_label("Unit").select_option("seconds")
    expect(page.locator("#preview")).to_contain_text(f"Every {seconds} seconds")
    expect(page.locator("#preview .dues li")).to_have_count(10)
    page.get_by_role("button", name="Save the schedule").click()
    expect(page.locator(".toast")).to_contain_text(f"Every {seconds} seconds")
    return datetime.now(UTC)


def test_schedule_fires_in_another_process_within_five_seconds_of_saving(
    browser, server, scheduler, first_run
):
    with visit(browser, server) as page:
        sign_in(page, AMAL)
        page.wait_for_timeout(1500)
        assert first_run() is None
        saved_at = save_interval(page, "2")
        page.wait_for_timeout(5000)
    due_at, started_at, executor = first_run()
    assert executor.split(":")[0] == "scheduler"
    assert started_at - saved_at <= timedelta(seconds=5)
    assert due_at.second % 2 == 0


@pytest.mark.parametrize(("language", "width"), [("ar", 390), ("en", 1360)])
def test_wrong_crontab_is_explained_while_it_is_typed(browser, server, language, width):
    told = {"ar": "اكتب من 0 إلى 23", "en": "Give 0 to 23"}[language]
    with visit(browser, server, viewport={"width": width, "height": 900}) as page:
        sign_in(page, AMAL, language)
        look_at(page, PAGE)
        page.fill("[name=cron]", "0 25 * * *")
        expect(page.locator("#preview")).to_contain_text(told)
        page.click(".schedule-form button.primary")
        expect(page.locator("#cron")).to_have_attribute("aria-invalid", "true")
        expect(page.locator("#cron")).to_have_value("0 25 * * *")
        page.fill("[name=cron]", "0 5 * * *")
        expect(page.locator("#preview")).to_contain_text("05:00")
        page.click(".schedule-form button.primary")
        expect(page.locator(".toast")).to_contain_text("05:00")
        look_at(page, f"{PAGE}/versions")


def test_what_is_typed_before_the_script_has_come_is_shown_when_it_comes(browser, server):
    held = []
    with visit(browser, server) as page:
        sign_in(page, AMAL)
        page.route(re.compile(r"/preview\b[^/]*\.js"), lambda route: held.append(route))
        page.goto(PAGE, wait_until="commit")
        page.fill("[name=cron]", "0 5 * * *")
        held[0].continue_()
        expect(page.locator("#preview")).to_contain_text("05:00")


@pytest.mark.parametrize(("language", "width"), [("en", 390), ("ar", 1360)])
def test_job_is_run_with_arguments_that_are_checked(browser, server, language, width):
    with visit(browser, server, viewport={"width": width, "height": 900}) as page:
        sign_in(page, AMAL, language)
        look_at(page, "/jobs/test.typed/arguments")
        page.fill("[name=arg-day]", "2026-11-30")
        page.fill("[name=arg-count]", "12")
        page.click(".record-form button.primary")
        expect(page.locator("#arg-count-fault")).to_contain_text("9")
        expect(page.locator("[name=arg-day]")).to_have_value("2026-11-30")
        page.fill("[name=arg-count]", "4")
        page.click(".record-form button.primary")
        expect(page).to_have_url(re.compile("/runs/"))
        expect(page.locator("#run")).to_contain_text("count=4")


@pytest.mark.parametrize(("language", "width"), [("en", 1360), ("ar", 390)])
def test_runs_are_chosen_and_tried_again_after_a_count(browser, server, language, width):
    with visit(browser, server, viewport={"width": width, "height": 900}) as page:
        sign_in(page, AMAL, language)
        for _ in range(2):
            page.goto("/jobs")
            page.locator('form[action="/jobs/test.permanent/run"] button').click()
            page.locator(".toast a").click()
            expect(page.locator("#run[data-live]")).to_have_count(0)
        look_at(page, "/runs")
        boxes = page.locator("[name=run]")
        boxes.first.check()
        expect(page.locator("tr.chosen")).to_have_count(1)
        page.locator("#chosen [data-every]").check()
        expect(page.locator("tr.chosen")).to_have_count(2)
        page.locator("#chosen button[value=retry]").click()
        expect(page.locator("dialog h1")).to_contain_text(re.compile("2|تشغيلين"))
        page.locator("dialog button.primary").click()
        expect(page.locator(".toast")).to_contain_text(re.compile("2|تشغيلين"))


def test_run_page_keeps_what_is_open_and_scrolled_while_it_refreshes(browser, server):
    with visit(browser, server, viewport={"width": 1360, "height": 700}) as page:
        sign_in(page, AMAL)
        page.goto("/jobs/test.ticking/arguments")
        page.fill("[name=arg-seconds]", "4")
        page.click(".record-form button.primary")
        expect(page.locator("#log .message")).not_to_have_count(0)
        page.evaluate("document.querySelector('#log .lines li').same = true")
        page.evaluate("window.scrollTo(0, 200)")
        count = page.locator("#log .message").count()
        expect(page.locator("#log .message").nth(count)).to_be_attached()
        assert page.evaluate("document.querySelector('#log .lines li').same")
        assert page.evaluate("window.scrollY") == 200
        expect(page.locator("#run")).to_contain_text("Succeeded")


def test_button_of_the_filters_stays_hidden_when_the_board_is_fresh(browser, server):
    with visit(browser, server) as page:
        sign_in(page, AMAL)
        page.goto("/jobs")
        expect(page.locator("#board [data-apply]")).to_be_hidden()
        page.evaluate("document.querySelector('#board section').dataset.old = ''")
        expect(page.locator("#board section[data-old]")).to_have_count(0, timeout=30_000)
        expect(page.locator("#board [data-apply]")).to_be_hidden()
