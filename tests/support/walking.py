"""Walking through the pages in a browser: signed in, and looking at each as a person would."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from axe_core_python.sync_playwright import Axe
from flask import Flask
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.support.browser import open_page
from tests.support.people import Person, signed_in_client
from tests.support.processes import Server

#: WCAG 2.2 AA, and what axe holds for good practice besides.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE = Axe().axe_script
#: What axe finds of these rules, each with the first elements that have it.
ASK_AXE = """async ([part, rules]) => {
  const found = await axe.run(part, { runOnly: rules, resultTypes: ["violations"] });
  const first = (one) => one.nodes.slice(0, 3).map((node) => node.html);
  return found.violations.map((one) => `${one.id}: ${first(one)}`);
}"""


@contextmanager
def visit(browser: Browser, server: Server, **options: object) -> Iterator[Page]:
    """A page that must not complain on its console, of the policy least of all."""
    complaints: list[str] = []
    with open_page(browser, server.url, **options) as page:
        page.on("console", lambda said: _complains(said) and complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
    assert not complaints, "\n".join(complaints)


def _complains(said: ConsoleMessage) -> bool:
    """A form that is sent back to be mended, or too late, is no complaint."""
    refused = any(f"status of {status}" in said.text for status in (409, 422))
    return said.type == "error" and not refused


def sign_in(page: Page, person: Person, language: str = "en") -> None:
    """Sign in through the page."""
    page.goto(f"/sign-in?lang={language}")
    page.fill("[name=username]", person.username)
    page.fill("[name=password]", person.password)
    page.click("form button.primary")
    expect(page.locator("summary.avatar")).to_be_visible()


def answer(page: Page) -> None:
    """Say yes in the dialog."""
    page.locator("dialog form .button").click()


def save(page: Page) -> None:
    """Press the button of the page's main form."""
    page.locator("main form .button.primary").click()


def take(page: Page, kind: str, folder: Path) -> Path:
    """The file of that kind which the list's menu offers."""
    page.locator(".menu.files summary").click()
    with page.expect_download() as taken:
        page.locator(f'.menu.files a[href*="/export/{kind}"]').click()
    taken.value.save_as(folder / f"taken.{kind}")
    return folder / f"taken.{kind}"


def colours(picture: bytes) -> int:
    """How many colours a picture has; an empty page has one."""
    found = Image.open(io.BytesIO(picture)).convert("RGB").getcolors(maxcolors=1 << 20)
    return len(found or [])


def step_in(page: Page, app: Flask, server: Server, person: Person, language: str) -> None:
    """Sign in without the page and its quarter second, on the database of `app`."""
    name = app.config["SESSION_COOKIE_NAME"]
    kept = signed_in_client(app, person).get_cookie(name)
    page.context.add_cookies([{"name": name, "value": kept.value, "url": server.url}])
    page.goto(f"/?lang={language}")


def violations(page: Page, part: str = "html") -> list[str]:
    """What axe finds on the page as it stands, or in a part of it."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    return page.evaluate(ASK_AXE, [part, RULES])


def excess(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


def look_at(page: Page, path: str) -> None:
    """The page is drawn, fits its width, and can be read by everyone."""
    page.goto(path)
    sees_well(page, path)


def sees_well(page: Page, path: str) -> None:
    """The same of the page that is open; `path` is what a fault names."""
    assert colours(page.screenshot()) > 20, path
    assert excess(page) <= 0, f"{path} is {excess(page)} pixels too wide"
    assert violations(page) == [], path
