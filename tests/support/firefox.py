"""Debian's Firefox for tests, driven by firefox.mjs over WebDriver BiDi, kept off the network."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

from flask import Flask

from config import ROOT
from tests.support.people import Person, signed_in_client

DRIVER = Path(__file__).with_suffix(".mjs")
#: The machine may be busy with other tests.
PATIENCE_SECONDS = 30


class Firefox:
    """One browser with one page at a time, which may ask nobody but the server it visits.

    Selectors are those of CSS; what they name is waited for.
    """

    def __init__(self) -> None:
        program = shutil.which("firefox-esr") or shutil.which("firefox")
        assert program, "Firefox is missing: run scripts/system-packages test"
        assert (ROOT / "node_modules/puppeteer-core").is_dir(), "run make setup-dev"
        node = Path(sys.executable).with_name("node")
        self._driver = subprocess.Popen(
            [node, DRIVER, program, str(PATIENCE_SECONDS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Firefox":
        return self

    def __exit__(
        self, _kind: type | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._driver.communicate(timeout=30)

    def _do(self, deed: str, *given: object) -> Any:
        print(json.dumps([deed, *given]), file=self._driver.stdin, flush=True)
        line = self._driver.stdout.readline()
        assert line, "the driver ended"
        told = json.loads(line)
        assert "error" not in told, f"{deed} {given}: {told['error']}"
        return told["value"]

    def visit(self, url: str, width: int) -> None:
        """Begin anew with a page of that width, without cookies."""
        self._do("visit", url, width, 900)

    def open(self, path: str) -> None:
        """Go there; the page must answer 200 and fit the window."""
        assert self._do("open", path) == [200, 0], path

    def step_in(self, app: Flask, person: Person, language: str) -> None:
        """Sign in without the page and its quarter second, on the database of `app`."""
        name = app.config["SESSION_COOKIE_NAME"]
        self._do("keep", name, signed_in_client(app, person).get_cookie(name).value)
        self.open(f"/?lang={language}")

    def sign_in(self, person: Person, language: str) -> None:
        """Sign in through the page, and read that language whatever the person chose before."""
        self.tell_password(person, language)
        self.see("summary.avatar")
        self.open(f"/?lang={language}")

    def tell_password(self, person: Person, language: str) -> None:
        """The first half of signing in."""
        self.open(f"/sign-in?lang={language}")
        self.fill(username=person.username, password=person.password)
        self.press("form button.primary")

    def fill(self, **values: object) -> None:
        """Fill in or choose, by the names of the fields."""
        for name, value in values.items():
            self._do("fill", f'[name="{name}"]', str(value))

    def enter(self, selector: str, value: str) -> None:
        """The same where the name alone is not enough."""
        self._do("fill", selector, value)

    def choose(self, name: str, word: str) -> None:
        """Choose what holds the word."""
        self._do("choose", f'[name="{name}"]', word)

    def press(self, selector: str) -> None:
        self._do("press", selector)

    def strike(self, key: str) -> None:
        """Press a key of the keyboard."""
        self._do("strike", key)

    def save(self) -> None:
        """Press the button of the page's main form."""
        self.press("main form .button.primary")

    def see(self, selector: str, text: str = "", count: int | None = None) -> None:
        """Wait until so many can be seen, at least one if not told, with that text in each."""
        self._do("see", selector, text, count)

    def evaluate(self, expression: str) -> Any:
        return self._do("evaluate", expression)

    def complaints(self) -> list[str]:
        """What the page complained of since this was asked last."""
        return self._do("complaints")
