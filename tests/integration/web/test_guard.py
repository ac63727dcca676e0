"""The guard before every view, and what people are told when it refuses."""

import sqlite3
from contextlib import closing

import pytest
from flask import Blueprint
from sqlalchemy import text

from k9ops.app import create_app
from k9ops.core.db import db
from tests.support.databases import dispose, make_settings
from tests.support.people import csrf_token, sign_in


@pytest.fixture
def database_kind():
    return "sqlite"


def test_guard_leads_to_the_sign_in_and_back_when_signed_out(client):
    answer = client.get("/runs?state=failed")
    assert answer.status_code == 302
    assert answer.location == "/sign-in?next=/runs%3Fstate%3Dfailed"


def test_guard_refuses_a_view_that_names_no_permission(app, client_of, amal):
    bare = Blueprint("bare", __name__)
    bare.add_url_rule("/bare", "view", lambda: "never seen")
    app.register_blueprint(bare)
    answer = client_of(amal).get("/bare")
    assert answer.status_code == 403
    assert "never seen" not in answer.text


@pytest.mark.parametrize("path", ["/jobs", "/runs", "/jobs/live", "/backups"])
def test_guard_refuses_when_the_role_lacks_the_permission(client_of, badr, path):
    answer = client_of(badr).get(f"{path}?lang=en")
    assert answer.status_code == 403
    assert "This page is not open to you" in answer.text
    assert "reference" in answer.text


def test_answer_carries_the_strict_policy(client):
    headers = client.get("/sign-in").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in headers["Cache-Control"]


def test_cookie_is_kept_from_scripts_and_other_sites(client):
    cookie = client.get("/sign-in").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_cookie_travels_over_https_only_when_set_so(make_app):
    client = make_app(session_cookie_secure=True).test_client()
    answer = client.get("/sign-in", base_url="https://localhost")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "Strict-Transport-Security" in answer.headers


@pytest.mark.parametrize(("proxies", "told"), [(0, "127.0.0.1"), (1, "10.0.0.7")])
def test_address_is_the_last_of_the_header_only_when_a_proxy_is_trusted(
    make_app, amal, proxies, told
):
    client = make_app(trusted_proxies=proxies).test_client()
    client.environ_base["HTTP_X_FORWARDED_FOR"] = "198.51.100.1, 10.0.0.7"
    page = sign_in(client, amal).get("/account").text
    assert told in page
    assert "198.51.100.1" not in page


def test_post_is_refused_when_it_has_no_token(client_of, amal):
    answer = client_of(amal).post("/jobs/backups.run_automated_backup/run", data={"lang": "en"})
    assert answer.status_code == 400


def test_error_page_is_in_arabic_when_the_reader_is(client_of, amal):
    answer = client_of(amal).get("/nowhere?lang=ar")
    assert answer.status_code == 404
    assert 'dir="rtl"' in answer.text
    assert "لا توجد هذه الصفحة" in answer.text


def test_error_page_needs_no_database_when_we_broke(app, client):
    def broken():
        raise RuntimeError("a secret detail")

    broken.is_public = True
    app.add_url_rule("/broken", "broken", broken)
    answer = client.get("/broken?lang=en")
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.text
    assert "a secret detail" not in answer.text


@pytest.mark.parametrize(("path", "status"), [("/api/v1/nothing", 404), ("/api/v1/runs/x", 401)])
def test_api_answers_errors_as_json(client, path, status):
    answer = client.get(path)
    assert answer.status_code == status
    assert set(answer.json["error"]) == {"code", "message", "field", "hint"}


def test_theme_is_kept_and_drawn_by_the_server_when_chosen(client):
    token = csrf_token(client.get("/sign-in").text)
    fields = {"theme": "dark", "next": "//evil.example", "csrf_token": token}
    answer = client.post("/preferences/theme", data=fields)
    assert answer.location == "/"
    assert 'data-theme="dark"' in client.get("/sign-in").text


def test_language_is_kept_when_chosen_in_the_address(client):
    client.get("/sign-in?lang=en")
    assert '<html lang="en" dir="ltr"' in client.get("/sign-in").text


def test_navigation_shows_only_what_may_be_opened(client_of, amal, badr):
    assert 'href="/jobs"' in client_of(amal).get("/").text
    handler = client_of(badr).get("/more").text
    assert 'href="/jobs"' not in handler
    assert 'href="/runs"' not in handler


def test_sign_in_says_so_when_the_database_is_away(tmp_path):
    app = create_app(make_settings(tmp_path, database_url=f"sqlite:///{tmp_path}/gone/k9ops.db"))
    answer = app.test_client().get("/sign-in?lang=en")
    dispose(app)
    assert answer.status_code == 200
    assert "the database does not answer" in answer.text


def test_form_is_told_when_somebody_keeps_the_database_from_it(client_of, amal, database_url):
    client = client_of(amal)
    token = csrf_token(client.get("/more").text)
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = client.post("/notifications/read-all", data={"csrf_token": token})
    assert answer.status_code == 503
    assert "The database cannot be used at the moment." in answer.text


def test_error_page_is_drawn_when_people_cannot_be_read(app, client_of, amal):
    client = client_of(amal)
    with app.app_context():
        db.session.execute(text("ALTER TABLE users RENAME TO nobody"))
        db.session.commit()
    answer = client.get("/jobs?lang=en")
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.text


@pytest.mark.parametrize(("path", "status"), [("/sign-out", 405), ("/runs/x", 404)])
def test_error_page_says_what_to_do_when_signed_in(client_of, amal, path, status):
    answer = client_of(amal).get(f"{path}?lang=en")
    assert answer.status_code == status
    assert f"Error {status}, reference" in answer.text
    assert 'class="side"' in answer.text
