"""One's own account: profile, sessions, tokens."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from k9ops.accounts import browser_sessions, browsers
from k9ops.accounts.models import BrowserSession
from k9ops.accounts.queries import find_user
from k9ops.audit.models import AuditEntry
from k9ops.core.clock import utcnow
from k9ops.core.db import db
from tests.support.databases import on_one_kind
from tests.support.people import csrf_token
from tests.support.statements import counted

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"


def profile(client, **changes: str):
    page = client.get("/account?lang=en").text
    seen = re.search(r'name="seen" value="([^"]+)"', page)[1]
    fields = {"full_name": "Badr Salem", "email": "", "language": "", "theme": "system"}
    data = {"csrf_token": csrf_token(page), "seen": seen, "password": "", **fields, **changes}
    return client.post("/account", data=data)


def test_profile_is_kept_and_the_pages_follow_it(client_of, app, badr):
    client = client_of(badr)
    assert profile(client, full_name="B. Salem", language="ar", theme="dark").status_code == 303
    page = client.get("/account").text
    assert 'lang="ar"' in page
    assert 'data-theme="dark"' in page
    with app.app_context():
        assert find_user("badr").full_name == "B. Salem"


def test_new_address_needs_the_password(client_of, app, badr):
    client = client_of(badr)
    refused = profile(client, email="badr@unit.example")
    assert (refused.status_code, "needs your password" in refused.text) == (422, True)
    wrong = profile(client, email="badr@unit.example", password="not the password")
    assert "This is not your password." in wrong.text
    assert 'value="badr@unit.example"' in wrong.text
    assert profile(client, email="badr@unit.example", password=badr.password).status_code == 303
    with app.app_context():
        assert find_user("badr").email == "badr@unit.example"


@on_one_kind
@pytest.mark.parametrize(
    "changes", [{"language": "xx"}, {"theme": "pink"}, {"full_name": "x" * 201}, {"email": "x"}]
)
def test_strange_values_are_refused_at_their_field(client_of, badr, changes):
    answer = profile(client_of(badr), **changes)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text


def test_sessions_are_told_in_words_and_ended(client_of, app, badr):
    here, there = client_of(badr), client_of(badr)
    with app.app_context():
        db.session.execute(update(BrowserSession).values(user_agent=FIREFOX, ip="10.0.0.9"))
        db.session.commit()
    page = here.get("/account?lang=en").text
    assert page.count("Firefox on Windows") >= 2
    assert "this browser" in page
    assert "10.0.0.9" in page
    [end] = re.findall(r"/account/sessions/\d+/end", page)
    here.post(end, data={"csrf_token": csrf_token(page)})
    assert there.get("/account").status_code == 302
    assert here.get("/account").status_code == 200


def test_all_other_sessions_end_at_once(client_of, app, badr):
    here, others = client_of(badr), [client_of(badr), client_of(badr)]
    page = here.get("/account?lang=en").text
    here.post("/account/sessions/end-others", data={"csrf_token": csrf_token(page)})
    assert [other.get("/account").status_code for other in others] == [302, 302]
    assert "2 sessions were ended." in here.get("/account").text
    with app.app_context():
        entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert (entry.action, entry.detail) == ("session.others_ended", {"count": 2})


def test_session_of_somebody_else_is_not_ended(client_of, amal, badr):
    own = re.findall(r"/account/sessions/\d+/end", client_of(amal).get("/account").text)
    assert own == []
    client = client_of(badr)
    token = csrf_token(client.get("/account").text)
    assert client.post("/account/sessions/1/end", data={"csrf_token": token}).status_code == 404


def test_key_of_a_session_is_kept_as_a_hash(client_of, app, badr):
    client = client_of(badr)
    with client.session_transaction() as kept, app.app_context():
        assert kept["key"] not in str(db.session.scalars(select(BrowserSession.key_sha256)).all())


def test_last_use_is_noted_once_a_minute_and_costs_no_statement_else(client_of, app, badr):
    client = client_of(badr)
    client.get("/account")
    with counted(app) as fresh:
        client.get("/account")
    with app.app_context():
        long_ago = utcnow() - timedelta(minutes=2)
        db.session.execute(update(BrowserSession).values(last_seen_at=long_ago))
        db.session.commit()
    with counted(app) as old:
        client.get("/account")
    assert [len(old) - len(fresh), [s for s in fresh if s.startswith("UPDATE")]] == [1, []]
    with app.app_context():
        row = db.session.scalars(select(BrowserSession)).one()
        assert row.last_seen_at > long_ago + timedelta(minutes=1)


def test_page_does_not_fail_when_the_last_use_cannot_be_noted(client_of, app, badr, monkeypatch):
    client = client_of(badr)
    with app.app_context():
        old = utcnow() - timedelta(minutes=2)
        db.session.execute(update(BrowserSession).values(last_seen_at=old))
        db.session.commit()
        with db.engine.connect() as other:
            other.exec_driver_sql("BEGIN IMMEDIATE" if app_is_sqlite(app) else "BEGIN")
            if not app_is_sqlite(app):
                other.exec_driver_sql("SET LOCAL lock_timeout = 0")
            assert client.get("/account").status_code == 200
            other.rollback()


def app_is_sqlite(app) -> bool:
    return app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite")


def test_ended_rows_go_when_the_next_session_begins(client_of, app, badr):
    client_of(badr)
    with app.app_context():
        old = utcnow() - browser_sessions.LONGEST - timedelta(minutes=1)
        db.session.execute(update(BrowserSession).values(began_at=old))
        db.session.commit()
    client_of(badr)
    with app.app_context():
        assert len(db.session.scalars(select(BrowserSession)).all()) == 1


def test_token_is_shown_once_and_opens_the_api(client_of, app, badr):
    client = client_of(badr)
    page = client.get("/account/tokens/new?lang=en").text
    data = {"csrf_token": csrf_token(page), "name": "my script", "days": "30"}
    answer = client.post("/account/tokens/new", data=data)
    secret = re.search(r"k9_[\w-]+", answer.text)[0]
    page = client.get("/account").text
    assert "my script" in page
    assert secret not in page
    headers = {"Authorization": f"Bearer {secret}"}
    assert app.test_client().get("/api/v1/runs/1", headers=headers).status_code == 403
    revoke = re.search(r"/account/tokens/\d+/revoke", page)[0]
    client.post(revoke, data={"csrf_token": csrf_token(page)})
    assert app.test_client().get("/api/v1/runs/1", headers=headers).status_code == 401


@on_one_kind
@pytest.mark.parametrize(
    ("name", "days"), [("", "30"), ("x", "0"), ("x", "soon"), ("x" * 201, "3")]
)
def test_token_form_says_what_is_wrong(client_of, badr, name, days):
    client = client_of(badr)
    token = csrf_token(client.get("/account/tokens/new").text)
    data = {"csrf_token": token, "name": name, "days": days}
    answer = client.post("/account/tokens/new", data=data)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text


@on_one_kind
@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/125.0 Safari/537.36 Edg/125.0", "Edge on Linux"),
        ("curl/8.0", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_browsers_are_told_in_words(context, agent, words):
    assert browsers.in_words(agent) == words
