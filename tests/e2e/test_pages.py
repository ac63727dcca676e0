"""The pages in a real browser: in both languages and themes, at each width, without scripts."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.people import AMAL, BADR
from tests.support.processes import Server
from tests.support.walking import look_at, sign_in, visit

PATHS = (
    "/",
    "/jobs",
    "/runs",
    "/runs?state=failed",
    "/dual-run",
    "/backups",
    "/notifications",
    "/more",
)


@pytest.fixture
def server(make_instance, database_url) -> Server:
    jobs = ("tests.support.jobs",)
    return make_instance(database_url=database_url, jobs_extra_modules=jobs).start()


def run_job(page: Page, name: str) -> None:
    """Press the job's button and go to the run that it started."""
    page.goto("/jobs")
    page.locator(f'form[action="/jobs/{name}/run"] button').click()
    page.locator(".toast a").click()


@pytest.mark.parametrize(
    ("language", "theme", "width"),
    [("ar", "light", 1360), ("en", "dark", 1360), ("ar", "dark", 390), ("en", "light", 768)],
)
def test_pages_can_be_read_when_walked_through(browser, server, language, theme, width):
    size = {"width": width, "height": 900}
    with visit(browser, server, color_scheme=theme, viewport=size) as page:
        look_at(page, f"/sign-in?lang={language}")
        sign_in(page, AMAL, language)
        assert page.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
        for name in ("test.permanent", "test.partial", "test.progress"):
            run_job(page, name)
            expect(page.locator("#run[data-live]")).to_have_count(0)
            look_at(page, page.url.removeprefix(server.url))
        for path in PATHS:
            look_at(page, path)


def test_sign_in_and_run_now_work_when_there_are_no_scripts(browser, server):
    with visit(browser, server, java_script_enabled=False) as page:
        sign_in(page, AMAL)
        run_job(page, "test.progress")
        expect(page.locator("h1")).to_have_text("Progress")
        page.goto("/jobs/backups.run_automated_backup/pause/confirm")
        page.get_by_role("button", name="Pause it").click()
        expect(page.locator(".toast")).to_contain_text("Paused")
        page.goto("/runs")
        page.select_option("[name=job]", "test.progress")
        page.get_by_role("button", name="Apply").click()
        expect(page.locator("tbody tr")).to_have_count(1)


def test_run_page_follows_the_run_to_its_end_when_left_open(browser, server):
    with visit(browser, server) as page:
        sign_in(page, AMAL)
        run_job(page, "test.progress")
        expect(page.locator(".sentence")).to_contain_text("Succeeded at once, in process.")
        expect(page.locator("#log")).to_contain_text("all steps done")


def test_pause_asks_in_a_dialog_and_gives_the_focus_back(browser, server):
    with visit(browser, server) as page:
        sign_in(page, AMAL)
        page.goto("/jobs")
        button = page.locator('a[href="/jobs/backups.run_automated_backup/pause/confirm"]')
        button.click()
        expect(page.get_by_role("link", name="Keep it running")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_be_hidden()
        expect(button).to_be_focused()
        button.click()
        page.get_by_role("button", name="Pause it").click()
        expect(page.locator("#board")).to_contain_text("Paused")


def test_theme_and_language_stay_when_chosen(browser, server):
    with visit(browser, server, color_scheme="light") as page:
        page.goto("/sign-in?lang=en")
        page.get_by_role("button", name="Dark theme").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        page.get_by_role("link", name="العربية").click()
        expect(page.locator("html")).to_have_attribute("dir", "rtl")
        page.goto("/sign-in")
        expect(page.locator("html")).to_have_attribute("dir", "rtl")
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_handler_sees_only_their_own_places(browser, server):
    with visit(browser, server) as page:
        sign_in(page, BADR)
        expect(page.locator(".side .place")).to_have_count(2)  # home and duty


def test_keyboard_reaches_the_content_first(browser, server):
    with visit(browser, server) as page:
        sign_in(page, AMAL)
        page.goto("/jobs")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#main")).to_be_focused()
