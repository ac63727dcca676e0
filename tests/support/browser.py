"""The browser of the tests: Debian's Chromium, driven by Playwright, kept off the network."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, Playwright, Request

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


def launch(playwright: Playwright) -> Browser:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "Chromium is missing: run scripts/system-packages test"
    return playwright.chromium.launch(executable_path=program, args=ARGUMENTS)


@contextmanager
def open_page(browser: Browser, base_url: str, **options: object) -> Iterator[Page]:
    """A page that reaches only the server at `base_url`; any other request fails the test.

    Requests are watched and not held, since a browser whose requests are held caches nothing.
    """
    foreign: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((base_url, "data:")):
            foreign.append(request.url)

    options = {"base_url": base_url, "locale": "en-GB", **options}
    with browser.new_context(**options) as context:
        context.set_default_timeout(10_000)
        context.on("request", note)
        yield context.new_page()
    assert not foreign, f"requests to elsewhere: {foreign}"
