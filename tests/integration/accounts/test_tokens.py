"""Bearer tokens: the only way into /api."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from k9ops.accounts import api_tokens
from k9ops.accounts.models import ApiToken, User
from k9ops.audit.services import COMMAND_LINE
from k9ops.core.clock import utcnow
from k9ops.core.db import db
from tests.support.databases import on_one_kind

ADDRESS = "/api/v1/runs/01940000-0000-7000-8000-000000000000"


@pytest.fixture
def token(app: Flask) -> str:
    with app.app_context():
        return api_tokens.create_token("amal", "test", days=30, actor=COMMAND_LINE)[0]


def ask(client, token: str, scheme: str = "Bearer"):
    return client.get(ADDRESS, headers={"Authorization": f"{scheme} {token}"})


def change(app: Flask, **values: object) -> None:
    with app.app_context():
        db.session.execute(update(ApiToken).values(**values))
        db.session.commit()


def last_used(app: Flask):
    with app.app_context():
        return db.session.scalar(select(ApiToken.last_used_at))


def test_token_lets_in_and_only_its_hash_is_kept(client, app, token):
    assert ask(client, token).json["error"]["code"] == "no_run"
    with app.app_context():
        row = db.session.scalars(select(ApiToken)).one()
        assert token not in str(vars(row))
        assert len(row.token_sha256) == 64


def test_call_without_a_token_is_told_how_to_sign_in(client):
    answer = client.get(ADDRESS)
    assert (answer.status_code, answer.json["error"]["code"]) == (401, "not_signed_in")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="K9 Ops"'


@on_one_kind
@pytest.mark.parametrize("scheme", ["Bearer", "Basic", "Token"])
@pytest.mark.parametrize("text", ["", "k9_wrong", "\xff\xfe", "Zm9vOmJhcg=="])
def test_wrong_token_is_refused_with_one_document(client, scheme: str, text: str):
    answer = ask(client, text, scheme)
    assert (answer.status_code, answer.json["error"]["code"]) == (401, "bad_token")
    assert answer.json["error"]["field"] == "Authorization"
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_expired_token_is_refused_by_that_name(client, app, token):
    change(app, expires_at=utcnow() - timedelta(seconds=1))
    assert ask(client, token).json["error"]["code"] == "expired_token"


def test_revoked_token_is_refused(client, app, token):
    with app.app_context():
        api_tokens.revoke_tokens("amal", "test", actor=COMMAND_LINE)
    assert ask(client, token).status_code == 401


def test_token_of_somebody_who_left_is_refused(client, app, token):
    with app.app_context():
        db.session.execute(update(User).where(User.username == "amal").values(active=False))
        db.session.commit()
    assert ask(client, token).status_code == 401


def test_use_is_noted_at_most_once_a_minute(client, app, token):
    ask(client, token)
    first = last_used(app)
    ask(client, token)
    assert last_used(app) == first
    change(app, last_used_at=first - timedelta(seconds=61))
    ask(client, token)
    assert last_used(app) > first - timedelta(seconds=1)


def test_browsers_session_is_no_way_into_the_api(client_of, amal):
    client = client_of(amal)
    assert client.get(ADDRESS).status_code == 401
    assert client.post("/api/v1/jobs/test.sleep/run").status_code == 401


def test_token_is_no_way_into_the_pages(client, token):
    answer = client.get("/notifications", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 302
