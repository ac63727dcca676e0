"""A thorough look at a page in a browser: at each width, by keys, with what it opens."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.support.walking import excess, violations

#: A wide window, the same at a zoom of 200%, and the narrowest that is promised.
WIDTHS = (1360, 680, 320)
HEIGHT = 900
KEYS = Path(__file__).with_name("keys.js").read_text()
OPEN_ALL = "for (const one of document.querySelectorAll('details:not(.menu)')) one.open = true"
CHOOSE_ALL = "for (const one of document.querySelectorAll('[data-every]')) one.click()"
OPENED = "details.menu[open] > .sheet, dialog[open]"
#: What differs between two openers of one kind: numbers, ids, names of jobs, words.
OWN = re.compile(r"[\w.-]*\d[\w.-]*|(?<=/jobs/)[\w.]+|(aria-label|title)=\"[^\"]*\"")


@dataclass
class Examiner:
    """Looks at pages for one person; what stands on many of them is opened once."""

    page: Page
    width: int
    faults: list[str] = field(default_factory=list)
    _opened: set[str] = field(default_factory=set)

    def examine(self, address: str) -> None:
        """Open the page and note what is wrong with it."""
        self.page.goto(address)
        self.note(address)
        self._open_what_opens(address)

    def note(self, where: str) -> None:
        """Note what is wrong with the page as it stands."""
        self.faults += [f"{where}: {fault}" for fault in self._look()]

    def _look(self) -> Iterator[str]:
        yield from self._skip()
        self.page.evaluate(OPEN_ALL)
        for width in sorted(WIDTHS, key=lambda width: width == self.width):
            self._resize(width)
            if (wide := excess(self.page)) > 0:
                yield f"{wide} pixels wider than {width}"
        yield from violations(self.page)
        yield from self.page.evaluate(KEYS)

    def _skip(self) -> Iterator[str]:
        """The first Tab offers the way past the navigation, unless the page begins further down."""
        is_further = "document.activeElement !== document.body || location.hash !== ''"
        begins_further = self.page.evaluate(is_further)
        self.page.keyboard.press("Tab")
        skips = "document.activeElement.matches('.skip[href=\"#main\"]')"
        if not begins_further and not self.page.evaluate(skips):
            yield "the first Tab leads to no way past the navigation"

    def _resize(self, width: int) -> None:
        self.page.set_viewport_size({"width": width, "height": HEIGHT})

    def _open_what_opens(self, address: str) -> None:
        """Menus, and questions of each kind: open they are read too; Escape leads back."""
        self.page.evaluate(CHOOSE_ALL)
        for opener in self.page.locator("details.menu > summary, [data-dialog]").all():
            if opener.is_visible() and self._is_new(opener):
                self._open(address, opener)

    def _is_new(self, opener: Locator) -> bool:
        html = opener.evaluate("one => one.outerHTML.replace(/>.*/s, '')")
        kind = OWN.sub("", html)
        is_new = kind not in self._opened
        self._opened.add(kind)
        return is_new

    def _open(self, address: str, opener: Locator) -> None:
        opener.press("Enter")
        what = self.page.locator(OPENED)
        expect(what).to_be_visible()
        where = f"{address}, open {opener.evaluate('one => one.outerHTML.slice(0, 90)')}"
        self.faults += [f"{where}: {fault}" for fault in violations(self.page, OPENED)]
        self.faults += [f"{where}: {fault}" for fault in self.page.evaluate(KEYS)]
        self.page.keyboard.press("Escape")
        expect(what).to_have_count(0)
        expect(opener).to_be_focused()
