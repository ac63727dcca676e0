"""Looking for something from any page, by the keyboard and by touch."""

import pytest
from playwright.sync_api import expect

from tests.support.people import AMAL, CALINE
from tests.support.walking import look_at, sign_in, visit

PHONE = {"width": 390, "height": 844}


def test_keyboard_leads_to_the_search_and_to_what_it_found(browser, unit_server, unit):
    with visit(browser, unit_server) as page:
        sign_in(page, AMAL)
        page.keyboard.press("Control+k")
        box = page.get_by_placeholder("Find a dog, a person, a run").first  # the one of the top bar
        expect(box).to_be_focused()
        page.keyboard.type("rex")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text("rex")
        expect(box).to_have_value("rex")
        page.get_by_role("link", name="Rex").click()
        expect(page).to_have_url(f"{unit_server.url}/dogs/{unit.rex}")


@pytest.mark.parametrize("scripts", [True, False])
def test_phone_searches_on_a_page_of_its_own(browser, unit_server, scripts):
    with visit(browser, unit_server, viewport=PHONE, java_script_enabled=scripts) as page:
        sign_in(page, CALINE)
        page.get_by_role("link", name="Search").click()
        box = page.get_by_role("main").get_by_role("searchbox")
        box.fill("harbour")
        box.press("Enter")
        expect(page.get_by_role("link", name="Harbour")).to_be_visible()


@pytest.mark.parametrize(
    ("language", "theme", "width"),
    [("ar", "light", 1360), ("en", "dark", 800), ("ar", "dark", 390)],
)
def test_search_can_be_read_by_everyone(browser, unit_server, language, theme, width):
    size = {"width": width, "height": 844}
    with visit(browser, unit_server, color_scheme=theme, viewport=size) as page:
        sign_in(page, AMAL, language)
        for query in ("", "?q=a", "?q=nobody+at+all"):
            look_at(page, f"/search{query}")
