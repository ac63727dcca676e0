"""A crawler: signed in as somebody it follows every link, and looks at every form and page."""

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from k9ops.accounts.permissions import permissions_of
from k9ops.web.security import SIGNED_IN
from tests.support.html import Form, Page
from tests.support.planting import MARK
from tests.support.statements import counted

MOST_BYTES = 200_000
MOST_STATEMENTS = 25
#: So many addresses are opened of each route, one less with each parameter of an address' set.
OF_A_KIND = 3
#: Ways that lead elsewhere at once, and why.
REDIRECTS: dict[str, str] = {"/runs/many": "no run is chosen: back to the list"}


@dataclass
class Crawl:
    """What a crawler found: the faults, and the routes that it opened or that forms lead to."""

    opened: Counter[str] = field(default_factory=Counter)
    acted: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    forms: dict[str, Form] = field(default_factory=dict)
    #: One address of each route.
    addresses: dict[str, str] = field(default_factory=dict)


class Crawler:
    """One walk from the home page to wherever it leads; `role` is empty for a visitor.

    A brief walk opens a few addresses of each route, whatever their filters.
    """

    def __init__(
        self, app: Flask, client: FlaskClient, role: str, language: str, *, brief: bool = False
    ) -> None:
        self._app = app
        self._client = client
        self._held = {*permissions_of(role), SIGNED_IN} if role else set()
        self._language = language
        self._brief = brief
        self._kinds: Counter[object] = Counter()
        self._waiting: deque[tuple[str, str]] = deque()
        self.found = Crawl()

    def walk(self, *starts: str) -> Crawl:
        for start in ("/", *starts):
            self._waiting.append((f"{start}?lang={self._language}", "the start"))
        while self._waiting:
            self._open(*self._waiting.popleft())
        return self.found

    def _add(self, address: str, origin: str) -> None:
        """Put an address into the queue unless enough of its kind were opened."""
        path, query = self._parts(address)
        try:
            rule = self._rule(path, "GET")
        except HTTPException as error:
            self.found.faults.append(f"{origin}: leads to {address}: {error.code}")
            return
        names = frozenset(name for name, value in query if value and not self._brief)
        is_file = rule.endpoint == "static" or "/export/" in rule.rule
        kind = (rule.endpoint, path if is_file else names)
        fits = 1 if is_file else max(1, OF_A_KIND - len(names))
        whole = f"{path}?{urlencode([*query, ('lang', self._language)])}"
        if self._kinds[kind] < fits and not self._kinds[whole]:
            self._kinds[kind] += 1
            self._kinds[whole] += 1
            self._waiting.append((whole, origin))

    def _parts(self, address: str) -> tuple[str, list[tuple[str, str]]]:
        parts = urlsplit(address)
        query = parse_qsl(parts.query, keep_blank_values=True)
        return parts.path, [pair for pair in query if pair[0] != "lang"]

    def _rule(self, path: str, method: str) -> Rule:
        adapter = self._app.url_map.bind("localhost")
        rule, _values = adapter.match(path, method=method, return_rule=True)
        return rule

    def _open(self, address: str, origin: str) -> None:
        with counted(self._app) as statements, closing(self._client.get(address)) as answer:
            rule = self._rule(urlsplit(address).path, "GET")
            self.found.opened[rule.rule] += 1
            self.found.addresses.setdefault(rule.rule, urlsplit(address).path)
            faults = list(self._faults_of(rule, answer, len(statements)))
            if answer.status_code in (301, 302, 303):
                self._add(urljoin(address, answer.location), address)
            elif answer.mimetype == "text/html":
                faults += self._look_at(address, answer)
        self.found.faults += [f"{address} (from {origin}): {fault}" for fault in faults]

    def _faults_of(self, rule: Rule, answer: TestResponse, statements: int) -> Iterator[str]:
        if answer.status_code in (301, 302, 303):
            if rule.rule not in REDIRECTS and not self._is_turned_away(rule, answer):
                yield f"leads on to {answer.location}"
        elif answer.status_code != 200:
            yield f"answers {answer.status_code}"
        if statements > MOST_STATEMENTS:
            yield f"{statements} statements"

    def _is_turned_away(self, rule: Rule, answer: TestResponse) -> bool:
        """A visitor is led to the door, and nowhere else."""
        view = self._app.view_functions[rule.endpoint]
        is_guarded = not getattr(view, "is_public", False)
        return not self._held and is_guarded and answer.location.startswith("/sign-in")

    def _look_at(self, address: str, answer: TestResponse) -> Iterator[str]:
        page = Page(answer.text, MARK)
        if len(answer.data) > MOST_BYTES:
            yield f"{len(answer.data)} bytes"
        yield from page.faults
        yield from (f"leads outside: {one}" for one in page.outside())
        if page.is_whole:
            yield from self._wrong_language(page.root)
        for link in (*page.links, *page.loaded):
            if not link.startswith(("#", "tel:")):
                self._add(urljoin(address, link), address)
        for form in page.forms:
            yield from self._look_at_form(address, form)

    def _wrong_language(self, root: dict[str, str]) -> Iterator[str]:
        wanted = {"lang": self._language, "dir": "rtl" if self._language == "ar" else "ltr"}
        if not wanted.items() <= root.items():
            yield f"is in another language: {root}"

    def _look_at_form(self, address: str, form: Form) -> Iterator[str]:
        """What a form asks for is opened; one that changes something must be allowed."""
        target = urljoin(address, form.action)
        if form.method == "get":
            values = form.values()
            self._add(f"{urlsplit(target).path}?{urlencode(values)}", address)
            for one in form.fields:
                for option in one.options[:OF_A_KIND]:
                    self._add(f"{urlsplit(target).path}?{one.name}={option}", address)
            return
        try:
            rule = self._rule(urlsplit(target).path, "POST")
        except HTTPException as error:
            yield f"has a form to {target}: {error.code}"
            return
        self.found.acted.add(rule.rule)
        self.found.forms.setdefault(rule.rule, form)
        self.found.addresses.setdefault(rule.rule, urlsplit(target).path)
        view = self._app.view_functions[rule.endpoint]
        permission = getattr(view, "permission", None)
        if permission and permission not in self._held:
            yield f"has a form to {target}, which is not allowed"
        if "csrf_token" not in form.values():
            yield f"has a form to {target} without a token"
