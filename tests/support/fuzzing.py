"""Senseless requests for every route: made from the routes, their forms, and what views ask for."""

import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from flask import Flask, Request, got_request_exception, request
from flask_wtf import FlaskForm
from hypothesis import strategies as st
from sqlalchemy import event
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.routing import Rule

from k9ops.core.db import db
from tests.support.crawling import Crawl
from tests.support.html import Form
from tests.support.planting import LONG, SHORT

#: What no one means, and what some code somewhere falls over.
NASTY = (
    "", " ", "\0", "a\0b", "\n", "0", "-1", "1", "2", "y", "on", "true", "null", "[]", "{}", "%",
    "%s", str(2**31), str(2**63), str(2**64), "9" * 400, "1e309", "-0.0", "NaN", "Infinity",
    "1_000", "٣", "0x1f", "2026-02-30", "0001-01-01", "9999-12-31", "2026-11-30", "-2026-01-01",
    "2026-11-30T25:00", "0001-01-01T00:00", "9999-12-31T23:59", "2026-11-30T08:00", "24:00",
    "23:59", "99:99:99", "* * * * *", "60 24 31 2 7", "*/0 * * * *", "0 0 30 2 *", "PT1S",
    "Asia/Riyadh", "No/Where", "../../etc/passwd", "//elsewhere.example/", "/\\elsewhere.example",
    "javascript:alert(1)", "x@y", "a@b.example", "=1+1", "' OR 1=1 --", "\\", "\ud7ff", "\ufeff",
    "\u202e", "e\u0301" * 20, "ا" * 201, "x" * 5000, "amal", "administrator", "handler", "ar",
    "en", "csv", "xlsx", SHORT, LONG,
)  # fmt: skip
#: Names that are asked for by the machinery of every form.
TOKEN = "csrf_token"
WRITING = re.compile(r"\s*(INSERT INTO|UPDATE|DELETE FROM|REPLACE INTO)\s+\"?(\w+)", re.IGNORECASE)


def watch_names(app: Flask) -> dict[str, set[str]]:
    """Of each endpoint the parameters and fields that its view asks for, from now on."""
    names: dict[str, set[str]] = defaultdict(set)

    class Watched(ImmutableMultiDict):
        def __getitem__(self, key: str) -> Any:
            _note(names, key)
            return super().__getitem__(key)

        def __contains__(self, key: object) -> bool:
            _note(names, key)
            return super().__contains__(key)

        def getlist(self, key: str, type: Any = None) -> list[Any]:
            _note(names, key)
            return super().getlist(key, type)

    class WatchedRequest(Request):
        parameter_storage_class = Watched

    app.request_class = WatchedRequest
    return names


def _note(names: dict[str, set[str]], key: object) -> None:
    if request and request.endpoint and isinstance(key, str):
        names[request.endpoint].add(key)


@dataclass(frozen=True)
class Target:
    """A route, a real address of it, and what can be sent to it."""

    rule: Rule
    method: str
    address: str
    names: tuple[str, ...]
    form: Form | None = None

    def requests(self) -> st.SearchStrategy[tuple[str, dict[str, Any], dict[str, Any]]]:
        """Addresses, queries and fields: mostly real ones with a few values replaced."""
        base = self.form.values() if self.form else {}
        options = {one.name: one.options for one in self.form.fields} if self.form else {}
        values = {name: _values(options.get(name, [])) for name in self.names}
        changes = _some(values)
        starts = st.sampled_from([base, base, base, {}])
        fields = st.builds(lambda first, other: {**first, **other}, starts, changes)
        nothing = st.just({})
        query = changes if self.method == "GET" else nothing
        return st.tuples(self._addresses(), query, fields if self.method == "POST" else nothing)

    def _addresses(self) -> st.SearchStrategy[str]:
        if "<" not in self.rule.rule:
            return st.just(self.address)
        odd = st.sampled_from(["0", str(2**31 - 1), "%00", quote(SHORT, safe=""), "x" * 300])
        wrong = odd.map(lambda value: re.sub(r"<[^>]+>", lambda _: value, self.rule.rule))
        return st.one_of(st.just(self.address), st.just(self.address), wrong)


def _values(options: list[str]) -> st.SearchStrategy[Any]:
    one = st.one_of(
        st.sampled_from(NASTY),
        st.text(max_size=40),
        st.integers(-5, 500).map(str),
        *([st.sampled_from(options)] * 2 if options else []),
    )
    return st.one_of(one, one, one, st.lists(one, max_size=3))


def _some(values: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """A few of the names with values."""
    if not values:
        return st.just({})
    pairs = st.sampled_from(sorted(values)).flatmap(
        lambda name: st.tuples(st.just(name), values[name])
    )
    return st.lists(pairs, max_size=4).map(dict)


def targets(app: Flask, found: Crawl, asked: dict[str, set[str]]) -> Iterator[Target]:
    """Every route of the application, with each method that it answers."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static":
            continue
        form = found.forms.get(rule.rule)
        address = found.addresses.get(rule.rule) or re.sub(r"<[^>]+>", "1", rule.rule)
        names = {*asked[rule.endpoint], *_names_of(app, rule)}
        names |= {one.name for one in form.fields} if form else set()
        for method in sorted(rule.methods & {"GET", "POST"}):
            yield Target(rule, method, address, tuple(sorted(names - {TOKEN})), form)


def _names_of(app: Flask, rule: Rule) -> set[str]:
    """The fields of the forms that the view's module knows."""
    module = vars(sys.modules[app.view_functions[rule.endpoint].__module__])
    kinds = [one for one in module.values() if isinstance(one, type) and issubclass(one, FlaskForm)]
    return {
        name for kind in kinds for name in dir(kind) if hasattr(getattr(kind, name), "field_class")
    }


@dataclass
class Seen:
    """What happened within one request besides its answer."""

    written: set[str] = field(default_factory=set)
    errors: list[BaseException] = field(default_factory=list)


@contextmanager
def watched(app: Flask) -> Iterator[Seen]:
    """The tables that committed changes of the block wrote to, and errors that nobody caught."""
    seen, open_ones = Seen(), defaultdict(set)

    def note(connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if match := WRITING.match(statement):
            open_ones[connection.connection.dbapi_connection].add(match[2])

    def commit(connection: Any) -> None:
        seen.written |= open_ones.pop(connection.connection.dbapi_connection, set())

    def roll_back(connection: Any) -> None:
        open_ones.pop(connection.connection.dbapi_connection, None)

    def fall(_app: Flask, exception: BaseException, **_more: Any) -> None:
        seen.errors.append(exception)

    with app.app_context():
        engine = db.engine
    hooks = {"after_cursor_execute": note, "commit": commit, "rollback": roll_back}
    for name, hook in hooks.items():
        event.listen(engine, name, hook)
    got_request_exception.connect(fall, app)
    try:
        yield seen
    finally:
        got_request_exception.disconnect(fall, app)
        for name, hook in hooks.items():
            event.remove(engine, name, hook)


def with_query(address: str, query: dict[str, Any]) -> str:
    """The address with these parameters; what cannot be written in one is replaced."""
    return f"{address}?{urlencode(query, doseq=True, errors='replace')}" if query else address
