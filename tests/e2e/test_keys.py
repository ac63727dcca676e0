"""The product by keys alone: Tab comes to everything, questions keep the focus and give it back."""

import pytest
from playwright.sync_api import expect

from tests.support.people import AMAL
from tests.support.walking import step_in, visit

PATHS = ("/", "/jobs", "/runs", "/people/new", "/schedules", "/settings")
MOST_STEPS = 400
WATCH = "addEventListener('focusin', ({ target }) => target.setAttribute('data-met', ''))"
#: Controls that can be seen and were not reached. Of radio buttons the chosen one is; the bars of
#: a sparkline are for pointers.
MISSED = """() => [...document.querySelectorAll("a, button, input, select, summary, textarea")]
  .filter((one) => !one.matches("[data-met], :disabled, [type=radio]:not(:checked)"))
  .filter((one) => !one.matches("a:not([href]), svg *"))
  .filter((one) => one.checkVisibility({ visibilityProperty: true }))
  .map((one) => one.outerHTML.slice(0, 120))"""
IS_ROUND = "document.activeElement === document.body"


@pytest.fixture
def page(browser, whole):
    with visit(browser, whole.server) as page:
        step_in(page, whole.app, whole.server, AMAL, "en")
        yield page


@pytest.mark.parametrize("width", [1360, 390])
def test_tab_comes_to_every_control(page, width):
    page.set_viewport_size({"width": width, "height": 844})
    for path in PATHS:
        page.goto(path)
        page.evaluate(WATCH)
        for _ in range(MOST_STEPS):
            page.keyboard.press("Tab")
            if page.evaluate(IS_ROUND):
                break
        assert page.evaluate(MISSED) == [], path


def test_question_keeps_the_focus_until_it_is_answered(page):
    page.goto("/jobs")
    opener = page.locator("a[data-dialog]").first
    opener.press("Enter")
    expect(page.locator("dialog")).to_be_visible()
    for _ in range(6):
        page.keyboard.press("Tab")
        inside = "document.activeElement.matches('body, dialog, dialog *')"
        assert page.evaluate(inside)
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()


def test_menu_opens_and_closes_by_keys(page):
    summary = page.locator("summary.avatar")
    summary.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("details.menu[open] a").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("details.menu[open]")).to_have_count(0)
    expect(summary).to_be_focused()
