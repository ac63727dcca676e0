"""The browser of the tests: Debian's Chromium, driven by Playwright, kept off the network."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, Playwright, Route

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def launch(playwright: Playwright) -> Browser:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "Chromium is missing: run scripts/system-packages test"
    return playwright.chromium.launch(executable_path=program, args=ARGUMENTS)


@contextmanager
def open_page(browser: Browser, base_url: str, **options: object) -> Iterator[Page]:
    """A page that reaches only the server at `base_url`; any other request fails the test."""
    foreign: list[str] = []

    def guard(route: Route) -> None:
        if route.request.url.startswith((base_url, "data:")):
            route.continue_()
        else:
            foreign.append(route.request.url)
            route.abort()

    options = {"base_url": base_url, "locale": "en-GB", **options}
    with browser.new_context(**options) as context:
        context.set_default_timeout(10_000)
        context.route("**/*", guard)
        yield context.new_page()
    assert not foreign, f"requests to elsewhere: {foreign}"
