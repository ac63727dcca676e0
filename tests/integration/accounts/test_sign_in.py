"""The door: who comes in, who does not, and what nobody can find out."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask, session
from sqlalchemy import func, select, update

from k9ops.accounts import services, tries
from k9ops.accounts.errors import SignInLocked, SignInRefused
from k9ops.accounts.models import SignInTry, User
from k9ops.accounts.queries import find_user
from k9ops.audit.models import AuditEntry
from k9ops.core import clock
from k9ops.core.db import db
from k9ops.core.errors import K9Error
from tests.support.databases import on_one_kind
from tests.support.people import csrf_token


def attempt(client, username: str, password: str, **fields: str):
    token = csrf_token(client.get("/sign-in?lang=en").text)
    data = {"username": username, "password": password, "csrf_token": token, **fields}
    return client.post("/sign-in", data=data)


def refusals(username: str, count: int) -> list[tuple[str, str]]:
    """What `count` bad tries are answered."""
    said = []
    for _ in range(count):
        with pytest.raises(K9Error) as refusal:
            services.sign_in(username, "not the password", ip="10.0.0.1")
        said.append((refusal.value.code, refusal.value.message))
    return said


def test_sign_in_leads_on_when_name_and_password_are_right(client, amal):
    answer = attempt(client, "AMAL", amal.password)
    assert (answer.status_code, answer.location) == (303, "/")
    assert client.get("/notifications").status_code == 200


def test_sign_in_page_leads_on_when_somebody_is_signed_in(client_of, amal):
    assert client_of(amal).get("/sign-in?next=/notifications").location == "/notifications"


@on_one_kind
@pytest.mark.parametrize(
    ("target", "led_to"),
    [
        ("/runs?state=failed", "/runs?state=failed"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/\tx", "/"),
    ],
)
def test_sign_in_leads_only_within_the_site(client, amal, target: str, led_to: str):
    assert attempt(client, amal.username, amal.password, next=target).location == led_to


def test_page_that_was_asked_for_comes_after_the_sign_in(client, amal):
    asked = client.get("/notifications?before=7")
    assert asked.location == "/sign-in?next=/notifications%3Fbefore%3D7"
    field = re.search(r'name="next" value="([^"]*)"', client.get(asked.location).text)
    assert field
    assert field[1] == "/notifications?before=7"


def test_sign_in_is_refused_without_the_forms_token(client, amal):
    data = {"username": amal.username, "password": amal.password}
    assert client.post("/sign-in", data=data).status_code == 400


def test_sign_in_keeps_the_name_but_not_the_password_when_refused(client, amal):
    answer = attempt(client, amal.username, "not the password")
    assert answer.status_code == 422
    assert 'value="amal"' in answer.text
    assert "not the password" not in answer.text
    assert "4 tries are left" in answer.text


def test_sign_in_asks_for_what_is_missing(client):
    answer = attempt(client, "", "")
    assert answer.status_code == 422
    assert "Enter your name." in answer.text
    assert "Enter your password." in answer.text


def test_session_is_new_and_ends_with_the_browser_unless_asked(client, app, amal):
    with client.session_transaction() as before:
        before["planted"] = "by somebody else"
    attempt(client, amal.username, amal.password)
    with client.session_transaction() as after:
        assert "planted" not in after
        assert not after.permanent
    attempt(app.test_client(), amal.username, amal.password, remember="y")


def test_session_outlives_the_browser_when_asked(client, amal):
    attempt(client, amal.username, amal.password, remember="y")
    with client.session_transaction() as after:
        assert after.permanent


def test_session_ends_after_eight_hours(client_of, amal):
    client = client_of(amal)
    try:
        clock.set_offset(8 * 3600 - 60)
        assert client.get("/notifications").status_code == 200
        clock.set_offset(8 * 3600 + 60)
        assert client.get("/notifications").status_code == 302
    finally:
        clock.set_offset(0)


def test_session_ends_everywhere_when_the_password_changes(client_of, app, amal):
    client = client_of(amal)
    with app.app_context():
        services.set_password("amal", "eight quiet kennels", actor=services.COMMAND_LINE)
    assert client.get("/notifications").status_code == 302


def test_session_ends_when_the_person_is_no_longer_active(client_of, app, amal):
    client = client_of(amal)
    with app.app_context():
        db.session.execute(update(User).where(User.username == "amal").values(active=False))
        db.session.commit()
    assert client.get("/notifications").status_code == 302
    with app.app_context(), pytest.raises(SignInRefused):
        services.sign_in("amal", amal.password, ip=None)


@on_one_kind
@pytest.mark.parametrize("session_id", ["", "1", "1.", "x.y", "1.99", "99999999999999999999.1"])
def test_session_with_a_strange_id_is_nobodys(client, app, session_id: str):
    with client.session_transaction() as strange:
        strange["_user_id"] = session_id
        strange["signed_in_at"] = clock.utcnow().timestamp()
    assert client.get("/notifications").status_code == 302


def test_sign_out_ends_the_session_and_takes_a_post(client_of, amal):
    client = client_of(amal)
    assert client.get("/sign-out").status_code == 405
    token = csrf_token(client.get("/notifications").text)
    assert client.post("/sign-out", data={"csrf_token": token}).location == "/sign-in"
    assert client.get("/notifications").status_code == 302


def test_sign_out_closes_copies_of_the_cookie_and_no_other_browser(client_of, app, amal):
    client, other, thief = client_of(amal), client_of(amal), app.test_client()
    with client.session_transaction() as own, thief.session_transaction() as copied:
        copied.update(own)
    assert thief.get("/notifications").status_code == 200
    client.post("/sign-out", data={"csrf_token": csrf_token(client.get("/notifications").text)})
    assert thief.get("/notifications").status_code == 302
    assert other.get("/notifications").status_code == 200


def test_known_and_unknown_names_are_answered_alike_to_the_lock(context):
    known, unknown = refusals("Amal", 7), refusals("nobody-at-all", 7)
    assert known == unknown
    assert [code for code, _ in known] == ["sign_in_refused"] * 4 + ["sign_in_locked"] * 3


def test_right_password_is_refused_while_the_name_is_locked(context, amal):
    refusals("amal", 5)
    with pytest.raises(SignInLocked) as refusal:
        services.sign_in("amal", amal.password, ip=None)
    assert 0 < refusal.value.seconds_left <= 15 * 60


def test_locked_page_says_when_to_try_again(client, amal):
    for _ in range(5):
        answer = attempt(client, amal.username, "not the password")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    assert "Try again in 15 minutes" in answer.text


def test_name_opens_again_after_a_quarter_of_an_hour(context, amal):
    refusals("amal", 5)
    # By the database's clock, which on SQLite is a fraction of a millisecond behind the host's.
    at = clock.read_now(db.session()) - timedelta(minutes=15)
    db.session.execute(update(SignInTry).values(at=at))
    db.session.commit()
    assert services.sign_in("amal", amal.password, ip=None).username == "amal"


def test_name_opens_again_when_the_password_is_set(context):
    refusals("amal", 5)
    services.set_password("amal", "eight quiet kennels", actor=services.COMMAND_LINE)
    assert services.sign_in("amal", "eight quiet kennels", ip=None).username == "amal"


def test_right_password_forgets_the_bad_tries(context, amal):
    refusals("amal", 4)
    services.sign_in("amal", amal.password, ip=None)
    assert "4 tries" in refusals("amal", 1)[0][1]


def test_parallel_tries_are_all_counted(app: Flask, amal):
    def bad(_: int) -> str:
        with app.app_context():
            return refusals("amal", 1)[0][0]

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(bad, range(8)))
    assert codes.count("sign_in_refused") == 4
    with app.app_context():
        assert db.session.scalar(select(SignInTry.failed)) == tries.TRIES


def test_parallel_sign_ins_with_the_right_password_all_succeed(app: Flask, amal):
    def good(_: int) -> str:
        with app.app_context():
            return services.sign_in("amal", amal.password, ip=None).username

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(good, range(8))) == ["amal"] * 8


def test_names_of_tries_cannot_be_read_back(context):
    refusals("a password in the wrong field", 1)
    row = db.session.scalars(select(SignInTry)).one()
    assert "password" not in row.name_hash
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert (entry.action, entry.target_name) == ("user.sign_in_refused", "unknown")


@pytest.mark.parametrize(
    "name", ["nul\0byte", "\ud800broken", "x" * 100_000, "'; DROP TABLE users"]
)
def test_strange_names_are_refused_like_any_other(context, name: str):
    with pytest.raises(SignInRefused):
        services.sign_in(name, "not the password", ip=None)


def test_sign_in_is_written_into_the_audit_trail(context, amal):
    services.sign_in("amal", amal.password, ip="10.0.0.7")
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert (entry.action, entry.actor_name, entry.ip) == ("user.signed_in", "amal", "10.0.0.7")
    assert entry.actor_id == find_user("amal").id


def test_choices_of_language_and_theme_follow_the_person(client_of, app, amal):
    client = client_of(amal)
    token = csrf_token(client.get("/notifications?lang=ar").text)
    client.post("/preferences/theme", data={"theme": "dark", "csrf_token": token})
    other = app.test_client()
    attempt(other, amal.username, amal.password)
    with app.app_context():
        person = find_user("amal")
        assert (person.language, person.theme) == ("ar", "dark")
    page = other.get("/notifications").text
    assert 'lang="ar"' in page
    assert 'data-theme="dark"' in page


def test_unknown_choices_are_ignored(client_of, app, amal):
    client_of(amal).get("/notifications?lang=xx")
    with app.app_context():
        assert find_user("amal").language is None


def test_two_copies_on_one_machine_keep_their_own_sessions(make_app):
    names = {make_app(secret_key=key).config["SESSION_COOKIE_NAME"] for key in ("one", "two")}
    assert len(names) == 2


def test_tries_table_forgets_what_is_void(context):
    refusals("somebody", 1)
    db.session.execute(update(SignInTry).values(at=clock.utcnow() - timedelta(minutes=16)))
    db.session.commit()
    refusals("somebody-else", 1)
    assert db.session.scalar(select(func.count()).select_from(SignInTry)) == 1


def test_language_of_the_signed_out_is_kept_over_the_sign_in(client, amal):
    client.get("/sign-in?lang=en")
    attempt(client, amal.username, amal.password)
    with client:
        client.get("/notifications")
        assert session["language"] == "en"
