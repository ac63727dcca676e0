"""Jobs, runs and dual run in a browser while a Celery worker executes, in both languages."""

import csv
import re
import uuid
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.support.waiting import wait_until
from tests.support.walking import answer, look_at, save, take

PAUSE = 'a[href="/jobs/backups.run_automated_backup/pause/confirm"]'
RESUME = 'form[action="/jobs/backups.run_automated_backup/resume"] button'


def start(page: Page, job: str, **arguments: object) -> str:
    """Run a job by its form of arguments; the run's address."""
    page.goto(f"/jobs/{job}/arguments")
    for name, value in arguments.items():
        field = f"arg-{'the-way' if name == 'way' else name}"
        if page.locator(f"select[name={field}]").count():
            page.select_option(f"[name={field}]", str(value))
        else:
            page.fill(f"[name={field}]", str(value))
    save(page)
    expect(page.locator("#run")).to_be_visible()
    return urlsplit(page.url).path


def expect_ended(page: Page, family: str) -> None:
    """The run's page has followed it to an end of that colour."""
    expect(page.locator("#run[data-live]")).to_have_count(0, timeout=30_000)
    expect(page.locator(f"#run .line .pill.{family}").first).to_be_visible()


def test_run_on_a_worker_is_followed_without_flicker(amals):
    start(amals, "test.ticking", seconds=6)
    lines = amals.locator("#log .message")
    expect(lines).not_to_have_count(0)
    expect(amals.locator("#run svg[role=progressbar]")).to_be_visible()
    marks = ("#run .sentence", "#log .lines li", "#run .timeline li", "#run article.inset")
    for mark in marks:
        amals.evaluate(f"document.querySelector('{mark}').same = true")
    amals.evaluate("window.scrollTo(0, 200)")
    scrolled = amals.evaluate("window.scrollY")
    expect(lines.nth(lines.count() + 4)).to_be_attached()
    assert amals.evaluate("window.scrollY") == scrolled
    for mark in marks:
        assert amals.evaluate(f"document.querySelector('{mark}').same"), mark
    expect_ended(amals, "ok")
    expect(lines).to_have_count(60)
    attempt = amals.locator("#run article.inset")
    expect(attempt).to_have_count(1)
    expect(attempt.locator(".swatch.celery")).to_be_visible()
    assert amals.locator("#run .timeline li").count() >= 3
    expect(amals.locator("#run")).to_contain_text("seconds=6")
    look_at(amals, urlsplit(amals.url).path)


def test_run_tells_its_effect_arguments_and_result(amals):
    start(amals, "test.effect", seconds=0.5)
    expect_ended(amals, "ok")
    expect(amals.locator("#effects article")).to_contain_text("line")
    facts = amals.locator("#run .pairs").last
    expect(facts).to_contain_text("seconds=0.5")
    expect(facts).to_contain_text("new")
    amals.locator(".head .actions form .button").click()
    amals.locator(".toast a").click()
    expect(amals.locator("#run .pairs").last).to_contain_text("seconds=0.5")
    expect_ended(amals, "ok")


def test_attempts_are_told_apart_by_path_and_reason(amals):
    start(amals, "test.fail", text="لا حظ", way="here")
    expect_ended(amals, "bad")
    attempts = amals.locator("#run article.inset")
    expect(attempts.locator(".path .swatch.in_process")).to_have_count(1)
    expect(attempts.locator(".path .reason")).not_to_be_empty()
    amals.locator(".head .actions form .button.primary").click()
    expect(attempts).to_have_count(2, timeout=20_000)
    expect_ended(amals, "bad")
    expect(amals.locator("#run .lane .outcome .pill")).to_have_count(2)
    expect(attempts.first).to_contain_text("لا حظ")
    attempts.first.locator("summary").click()
    expect(attempts.first.locator("pre")).to_contain_text("ValueError")


@pytest.fixture(scope="module")
def planned(celery_instance):
    """The jobs have their times, which nobody plans here, where no scheduler runs."""
    assert celery_instance.flask("prepare").returncode == 0


@pytest.mark.usefixtures("planned")
def test_job_is_paused_resumed_and_run_from_the_board(amals):
    amals.goto("/jobs")
    amals.locator(PAUSE).click()
    expect(amals.locator("dialog .confirm")).to_be_visible()
    answer(amals)
    expect(amals.locator(PAUSE)).to_have_count(0)
    expect(amals.locator("tr", has=amals.locator(RESUME)).locator(".pill.off")).to_be_visible()
    amals.locator(RESUME).click()
    expect(amals.locator(PAUSE)).to_be_visible()
    amals.locator('form[action="/jobs/test.progress/run"] button').click()
    row = amals.locator("tr", has=amals.locator('a[href="/runs?job=test.progress"]'))
    expect(row.locator(".state-line .pill.ok")).to_be_visible()
    expect(row.locator(".path .swatch.celery")).to_be_visible()
    expect(amals.locator("#workers .mono").first).to_contain_text("worker-0")


def test_run_is_cancelled_and_tried_again(amals):
    start(amals, "test.sleep", seconds=120)
    expect(amals.locator("#run article.inset")).to_have_count(1)
    amals.locator('.head a[href$="/cancel/confirm"]').click()
    answer(amals)
    expect_ended(amals, "off")
    amals.locator(".head .actions form .button.primary").click()
    expect(amals.locator("#run article.inset")).to_have_count(2)
    amals.locator('.head a[href$="/cancel/confirm"]').click()
    answer(amals)
    expect_ended(amals, "off")


def matching(page: Page, state: str) -> int:
    """How many runs of the job are in that state."""
    page.goto(f"/runs?job=test.sleep&state={state}")
    return page.locator(".runs tbody tr").count()


def do_with_all(page: Page, deed: str, state: str) -> None:
    """Cancel all that match, or try them again, after a question that tells how many."""
    told = re.compile(rf"\b{matching(page, state)}\b")
    page.locator(f'#chosen a[href*="deed={deed}"]').click()
    expect(page.locator("dialog h1")).to_contain_text(told)
    answer(page)
    expect(page.locator(".toast")).to_contain_text(told)
    assert parse_qs(urlsplit(page.url).query) == {"job": ["test.sleep"], "state": [state]}


def test_all_runs_of_a_filter_are_cancelled_and_tried_again_after_a_count(amals):
    for _ in range(3):
        start(amals, "test.sleep", seconds=120)
    assert matching(amals, "active") == 3
    do_with_all(amals, "cancel", "active")
    wait_until(lambda: matching(amals, "active") == 0, 20, pause=0.3)
    do_with_all(amals, "retry", "cancelled")
    assert matching(amals, "active") >= 3
    do_with_all(amals, "cancel", "active")
    wait_until(lambda: matching(amals, "active") == 0, 20, pause=0.3)


def test_runs_are_found_and_taken_along(amals, tmp_path):
    word = f"word{uuid.uuid4().hex}"
    path = start(amals, "test.fail", text=word)
    expect_ended(amals, "bad")
    amals.goto("/runs")
    amals.fill(".filters [name=q]", word)
    amals.keyboard.press("Enter")
    amals.wait_for_url(re.compile(rf"/runs\?q={word}$"))
    expect(amals.locator(".runs tbody tr")).to_have_count(1)
    expect(amals.locator(".runs tbody tr")).to_contain_text(word)
    amals.select_option("[name=path]", "celery")
    amals.wait_for_url(re.compile("path=celery"))
    assert parse_qs(urlsplit(amals.url).query) == {"q": [word], "path": ["celery"]}
    amals.reload()
    expect(amals.locator("select[name=path]")).to_have_value("celery")
    expect(amals.locator(".runs tbody tr")).to_have_count(1)
    text = take(amals, "csv", tmp_path).read_text("utf-8-sig")
    rows = list(csv.reader(text.splitlines()))
    assert len(rows) == 2
    assert word in " ".join(rows[1])
    amals.goto(f"/runs?q={path[-8:]}")
    expect(amals.locator(".runs tbody tr")).to_have_count(1)


def test_dual_run_tells_the_share_of_celery(amals):
    for way in ("celery", "here"):
        start(amals, "test.progress", steps=2, way=way)
        expect_ended(amals, "ok")
    amals.goto("/dual-run")
    expect(amals.locator("#verdict")).to_be_visible(timeout=30_000)
    amals.select_option("[name=days]", "7")
    amals.wait_for_url(re.compile("days=7"))
    amals.select_option("[name=job]", "test.progress")
    amals.wait_for_url(re.compile("job=test.progress"))
    shares = amals.locator(".job-shares tbody tr")
    expect(shares).to_have_count(1)
    expect(amals.locator(".reason-bars a")).to_have_count(1)
    amals.locator(".reason-bars a").click()
    expect(amals.locator(".runs tbody tr")).not_to_have_count(0)
    expect(amals.locator("select[name=reason]")).to_have_value("requested")
    look_at(amals, "/dual-run")
