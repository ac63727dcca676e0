"""Two-step verification in a browser, from setting it up to signing in by a recovery code."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.codes import code_of
from tests.support.people import AMAL
from tests.support.walking import look_at, sees_well, sign_in, visit

PAGE = "/account/two-step"


def set_up(page: Page) -> tuple[str, list[str]]:
    """Go through the page as a person does; the key and the recovery codes that it showed."""
    look_at(page, "/account")
    page.locator(f"a[href='{PAGE}']").click()
    look_at(page, PAGE)
    page.fill("[name=password]", AMAL.password)
    page.click("button[value=begin]")
    expect(page.locator(".qr svg")).to_be_visible()
    look_at(page, PAGE)
    secret = page.locator(".key").inner_text()
    page.fill("[name=code]", code_of(secret, -1))
    page.click("button[value=on]")
    codes = page.locator("#secrets").inner_text().split("\n")
    sees_well(page, "the recovery codes")
    return secret, codes


def sign_out(page: Page) -> None:
    page.locator("summary.avatar").click()
    page.locator("form[action='/sign-out'] button").click()


def go_half_way(page: Page, language: str) -> None:
    page.goto(f"/sign-in?lang={language}")
    page.fill("[name=username]", AMAL.username)
    page.fill("[name=password]", AMAL.password)
    page.click("form button.primary")
    expect(page.locator("[name=code]")).to_be_focused()


def enter(page: Page, code: str) -> None:
    page.fill("[name=code]", code)
    page.click("form button.primary")


@pytest.mark.parametrize(
    ("language", "theme", "width"), [("ar", "light", 1360), ("en", "dark", 390)]
)
def test_person_sets_it_up_and_signs_in_by_codes(browser, server, language, theme, width):
    size = {"width": width, "height": 900}
    with visit(browser, server, color_scheme=theme, viewport=size) as page:
        sign_in(page, AMAL, language)
        secret, codes = set_up(page)
        look_at(page, "/account")
        look_at(page, PAGE)
        sign_out(page)
        go_half_way(page, language)
        sees_well(page, "the page of the code")
        enter(page, "not a code")
        expect(page.locator("[role=alert]")).to_be_visible()
        sees_well(page, "a wrong code")
        enter(page, code_of(secret))
        expect(page.locator("summary.avatar")).to_be_visible()
        sign_out(page)
        go_half_way(page, language)
        enter(page, codes[0])
        expect(page.locator("summary.avatar")).to_be_visible()
        page.goto(PAGE)
        page.fill("#proof-off", AMAL.password)
        page.press("#proof-off", "Enter")
        sign_out(page)
        sign_in(page, AMAL, language)
