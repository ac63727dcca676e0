"""Senseless values in every form and parameter: a clear answer, never a fall, nothing lost."""

from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import or_, update

from k9ops.accounts.models import User
from k9ops.accounts.permissions import permissions_of
from k9ops.app import create_app
from k9ops.core.db import db
from k9ops.web.security import SIGNED_IN
from tests.support.crawling import Crawler
from tests.support.databases import KINDS, dispose, make_settings
from tests.support.fuzzing import TOKEN, targets, watch_names, watched, with_query
from tests.support.html import Page
from tests.support.people import form_token, signed_in_client
from tests.support.planting import MARK
from tests.support.whole import AMAL, EVERYBODY, SETTINGS, add_whole_unit

#: So many requests to each route; more with `make test-fuzz`.
EXAMPLES = max(settings.default.max_examples // 12, 1)
#: To a route that the person may not have, whose guard refuses before anything is read.
SHUT = max(EXAMPLES // 8, 1)
ANSWERS = {
    "GET": {200, 302, 303, 304, 400, 401, 403, 404, 409, 422},
    "POST": {200, 302, 303, 400, 401, 403, 404, 409, 413, 422, 429},
}
#: Tables that a request may write to though it is refused or only asks, and why.
WRITTEN_ANYWAY = {
    "audit_entries": "what was taken along, and who was kept out, stands in the trail",
    "sign_in_tries": "bad tries are counted",
    "users": "a language that was asked for is remembered",
}


@pytest.fixture(scope="module", params=KINDS)
def unit(request, databases, tmp_path_factory):
    """The application with the whole unit, and a walk through it."""
    url = databases.new(request.param)
    values = {"database_url": url, **SETTINGS}
    app = create_app(make_settings(tmp_path_factory.mktemp("fuzz"), **values))
    starts, asked = add_whole_unit(app), watch_names(app)
    client = signed_in_client(app, AMAL)
    walk = Crawler(app, client, AMAL.role, "en", brief=True).walk(*starts)
    yield SimpleNamespace(app=app, targets=list(targets(app, walk, asked)))
    dispose(app)
    databases.drop(url)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("person", EVERYBODY, ids=lambda person: person.role)
def test_no_request_makes_it_fall(unit, person):
    faults = []
    for target in unit.targets:
        faults += attempts(unit.app, person, target)
    assert not faults, "\n".join(faults)


def attempts(app, person, target):
    """What went wrong with one route, each kind of it once."""
    faults, asked = {}, EXAMPLES if is_open(app, person, target) else SHUT

    @settings(
        derandomize=True, database=None, deadline=None, max_examples=asked,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(target.requests())
    def attempt(made):
        for fault in faults_of(app, person, target, *made):
            where = f"{target.method} {target.rule.rule}: {fault}"
            faults.setdefault(fault, f"{where}: {str(made)[:300]}")

    attempt()
    return faults.values()


def is_open(app, person, target):
    permission = getattr(app.view_functions[target.rule.endpoint], "permission", SIGNED_IN)
    return permission in permissions_of(person.role) | {SIGNED_IN}


def faults_of(app, person, target, address, query, fields):
    stay(app, person)
    client = signed_in_client(app, person)
    token = {TOKEN: form_token(client)} if target.method == "POST" else {}
    data = {**fields, **token} if target.method == "POST" else None
    with watched(app) as seen:
        answer = client.open(with_query(address, query), method=target.method, data=data)
    yield from (f"{type(error).__name__}: {str(error)[:200]}" for error in seen.errors)
    if answer.status_code not in ANSWERS[target.method]:
        yield f"answers {answer.status_code}"
    lost = seen.written - {*WRITTEN_ANYWAY}
    if lost and (target.method == "GET" or answer.status_code >= 400):
        yield f"answers {answer.status_code} and writes {sorted(lost)}"
    if answer.mimetype == "text/html":
        yield from (fault for fault in Page(answer.text, MARK).faults if "unescaped" in fault)
        # A run shows the traceback of its job, which is its content.
        if answer.status_code >= 400 and "Traceback (most recent call last)" in answer.text:
            yield "shows a traceback"
    answer.close()


def stay(app, person):
    """Whatever an earlier request did to the accounts, this one can sign in."""
    with app.app_context():
        values = {"active": True, "role": person.role}
        changed = update(User).where(User.username == person.username, is_other(values))
        db.session.execute(changed.values(**values))
        db.session.commit()


def is_other(values):
    return or_(*(getattr(User, name) != value for name, value in values.items()))
