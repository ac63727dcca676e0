"""A walk of every route: signed out, as each role, and counting the statements of each page."""

import re

import pytest

from k9ops.accounts.api_tokens import create_token
from k9ops.accounts.permissions import permissions_of
from k9ops.audit.services import COMMAND_LINE
from k9ops.backups.services import make_backup
from k9ops.jobs import dispatch
from k9ops.schedules.services import NewItem
from k9ops.web.security import SIGNED_IN
from tests.support.people import PEOPLE, csrf_token
from tests.support.statements import counted
from tests.support.unit import add_unit, plan, today

JOB = "backups.run_automated_backup"
MOST_STATEMENTS = 25
NOTHING_SAYS = "00000000-0000-7000-8000-000000000000"


def address_of(rule, run_id, file="no-such-file"):
    """The rule's path with the run, the job, the backup or some number in its places."""
    name = JOB if "/jobs/" in rule.rule else file
    values = {"run_id": run_id, "name": name, "key": "duty_schedule", "kind": "csv"}
    return re.sub(r"<(?:[^<>]+:)?(\w+)>", lambda match: values.get(match[1], "1"), rule.rule)


def guarded(app):
    """Every route that asks for a permission, as (rule, permission, method)."""
    for rule in app.url_map.iter_rules():
        permission = getattr(app.view_functions[rule.endpoint], "permission", None)
        if permission:
            yield from ((rule, permission, how) for how in rule.methods & {"GET", "POST"})


def ask(client, rule, how, *, run_id=NOTHING_SAYS, token=""):
    form = {"csrf_token": token} if how == "POST" else None
    return client.open(address_of(rule, run_id), method=how, data=form)


def test_nobody_passes_a_guarded_route_when_signed_out(app, client):
    token = csrf_token(client.get("/sign-in").text)
    passed = []
    for rule, _, how in guarded(app):
        answer = ask(client, rule, how, token=token)
        to_sign_in = answer.status_code in (302, 303) and "/sign-in" in answer.location
        if not to_sign_in and answer.status_code not in (400, 401, 403):
            passed.append((rule.rule, how, answer.status_code))
    assert passed == []


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.role)
def test_people_are_refused_what_their_role_does_not_hold(app, client_of, person):
    client = client_of(person)
    token = csrf_token(client.get("/more").text)
    held = permissions_of(person.role) | {SIGNED_IN}
    wrong = []
    for rule, permission, how in guarded(app):
        if permission not in held:
            answer = ask(client, rule, how, token=token)
            expected = (401, 403) if rule.rule.startswith("/api/") else (403,)
            if answer.status_code not in expected:
                wrong.append((rule.rule, how, answer.status_code))
    assert wrong == []


@pytest.fixture
def statements(app):
    """The SQL statements that ran since the list was last cleared."""
    with counted(app) as seen:
        yield seen


@pytest.mark.parametrize("language", ["ar", "en"])
def test_pages_need_few_statements_and_never_fail(app, client_of, amal, statements, language):
    unit = add_unit(app)
    with app.app_context():
        run_id = dispatch(JOB, requested_by=amal.username).id
        plan(unit, today(), NewItem(unit.badr, unit.morning, unit.rex))
        file = make_backup().file
        create_token(amal.username, "a program", days=1, actor=COMMAND_LINE)
    client = client_of(amal)
    costs, wrong = {}, []
    for rule, _, how in guarded(app):
        if how == "POST" or "download" in rule.rule or rule.rule.startswith("/api/"):
            continue
        statements.clear()
        answer = client.get(address_of(rule, run_id, file), query_string={"lang": language})
        costs[rule.rule] = len(statements)
        if answer.status_code not in (200, 302, 303, 304):
            wrong.append((rule.rule, answer.status_code))
    assert wrong == []
    assert {path: cost for path, cost in costs.items() if cost > MOST_STATEMENTS} == {}
