"""The two calls that drive a running process from outside."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from k9ops.audit.queries import AuditFilter, list_entries
from k9ops.core.db import db
from k9ops.jobs.foreground import run_here
from k9ops.jobs.models import JobRun
from tests.support.databases import on_one_kind

ADDRESS = "/api/v1/jobs/test.sleep/run"
UNKNOWN = "01940000-0000-7000-8000-000000000000"


@pytest.fixture
def headers(token_of):
    return token_of("amal")


def start(client, headers, address: str = ADDRESS, key: str | None = None, **body: object):
    keyed = {"Idempotency-Key": key} if key else {}
    return client.post(address, headers={**headers, **keyed}, json=body or None)


def test_run_is_queued_and_answered_with_its_document(client, headers):
    answer = start(client, headers, arguments={"seconds": 0.5})
    assert answer.status_code == 202
    document = answer.json
    assert (document["job"], document["state"]) == ("test.sleep", "queued")
    assert (document["path"], document["reason"]) == ("in_process", "celery_off")
    assert (document["arguments"], document["requested_by"]) == ({"seconds": 0.5}, "amal")
    assert answer.headers["Location"] == f"/api/v1/runs/{document['id']}"


def test_body_is_optional(client, headers):
    assert client.post(ADDRESS, headers=headers).status_code == 202
    assert client.post(ADDRESS, headers=headers, json={}).status_code == 202


def test_same_key_gives_the_same_run_with_200(client, headers):
    first = start(client, headers, key="order 7", arguments={"seconds": 0})
    again = start(client, headers, key="order 7", arguments={"seconds": 0})
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json["id"] == again.json["id"]
    assert first.json["occurrence"] == "key:order 7"


def test_same_key_with_other_arguments_is_a_conflict(client, headers):
    start(client, headers, key="order 7", arguments={"seconds": 0})
    answer = start(client, headers, key="order 7", arguments={"seconds": 1})
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "key_in_use")
    assert answer.json["error"]["hint"]


def test_same_key_makes_one_run_when_many_ask_at_once(app, headers):
    def ask(_: int) -> int:
        return start(app.test_client(), headers, key="order 8").status_code

    with ThreadPoolExecutor(6) as pool:
        codes = sorted(pool.map(ask, range(6)))
    assert codes == [200, 200, 200, 200, 200, 202]
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(JobRun)) == 1


def test_via_is_kept(client, headers):
    assert start(client, headers, via="here").json["reason"] == "requested"
    assert start(client, headers, via="celery").json["path"] == "celery"


@on_one_kind
@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        (b"{", 400, "malformed_json", None),
        (b"\xff\xfe", 400, "malformed_json", None),
        (b"[" * 100_000, 400, "malformed_json", None),
        (b'{"arguments": {"seconds": NaN}}', 422, "bad_argument", None),
        (b'{"arguments": {"journal": "\\ud800"}}', 400, "malformed_json", None),
        (b"[]", 422, "bad_input", None),
        (b'"text"', 422, "bad_input", None),
        (b'{"arguments": []}', 422, "bad_input", "arguments"),
        (b'{"via": "pigeon"}', 422, "bad_input", "via"),
        (b'{"priority": 3}', 422, "bad_input", "priority"),
        (b'{"arguments": {"seconds": "soon"}}', 422, "bad_argument", "seconds"),
        (b'{"arguments": {"speed": 1}}', 422, "bad_argument", "speed"),
        (b"x" * (2 * 1024 * 1024 + 1), 413, "request_entity_too_large", None),
    ],
)
def test_bad_body_is_answered_with_one_document(client, headers, body, status, code, field):
    answer = client.post(ADDRESS, headers=headers, data=body)
    assert answer.status_code == status
    error = answer.json["error"]
    assert error.keys() == {"code", "message", "field", "hint"}
    assert (error["code"], error["field"]) == (code, field)
    assert error["message"]


def test_too_long_a_key_is_refused(client, headers):
    answer = start(client, headers, key="k" * 201)
    assert (answer.status_code, answer.json["error"]["field"]) == (422, "key")


def test_unknown_job_names_the_nearest(client, headers):
    answer = start(client, headers, "/api/v1/jobs/test.slep/run")
    assert (answer.status_code, answer.json["error"]["code"]) == (404, "unknown_job")
    assert "test.sleep" in answer.json["error"]["hint"]


@on_one_kind
@pytest.mark.parametrize("name", ["badr", "caline"])
def test_permission_is_needed_for_either_call(client, token_of, name: str):
    headers = token_of(name)
    for answer in (start(client, headers), client.get(f"/api/v1/runs/{UNKNOWN}", headers=headers)):
        assert (answer.status_code, answer.json["error"]["code"]) == (403, "forbidden")


def test_calls_need_no_form_token_but_a_bearer_token(client):
    assert client.post(ADDRESS).status_code == 401


def test_run_is_shown_with_its_attempts(client, app, headers):
    run_id = start(client, headers).json["id"]
    with app.app_context():
        run_here(run_id)
    document = client.get(f"/api/v1/runs/{run_id}", headers=headers).json
    assert (document["state"], document["result"]) == ("succeeded", {"slept": 0})
    assert [attempt["outcome"] for attempt in document["attempts"]] == ["succeeded"]
    assert document["finished_at"].endswith("+00:00")


@on_one_kind
@pytest.mark.parametrize("run_id", [UNKNOWN, "nonsense", "%00", "1 OR 1=1"])
def test_unknown_run_is_not_found(client, headers, run_id: str):
    answer = client.get(f"/api/v1/runs/{run_id}", headers=headers)
    assert (answer.status_code, answer.json["error"]["code"]) == (404, "no_run")


def test_unknown_address_and_wrong_method_are_documents_too(client, headers):
    assert client.get("/api/v1/nothing", headers=headers).json["error"]["code"] == "not_found"
    answer = client.get(ADDRESS, headers=headers)
    assert (answer.status_code, answer.json["error"]["code"]) == (405, "method_not_allowed")


def test_new_run_is_audited_once(client, app, headers):
    start(client, headers, key="order 9")
    start(client, headers, key="order 9")
    with app.app_context():
        found = list_entries(db.session(), AuditFilter(action="run.requested")).items
    assert [(entry.actor_name, entry.target_name) for entry in found] == [("amal", "test.sleep")]
