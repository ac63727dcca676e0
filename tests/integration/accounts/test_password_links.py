"""New passwords by mail: who gets a link, what it opens, and what nobody finds out."""

import json
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select, update

from k9ops.accounts import password_links, services, tries
from k9ops.accounts.errors import CodeNeeded, LinkVoid, SignInLocked, SignInRefused
from k9ops.accounts.models import PasswordReset
from k9ops.accounts.queries import find_user
from k9ops.audit.models import AuditEntry
from k9ops.core import clock
from k9ops.core.db import db
from k9ops.jobs.foreground import run_here
from k9ops.jobs.models import JobAttempt, JobLogLine, JobRun
from tests.support.codes import code_of, other_than, switch_on
from tests.support.databases import on_one_kind
from tests.support.mail import settings_of, text_of
from tests.support.pages import faults, words_of
from tests.support.people import csrf_token, sign_in
from tests.support.waiting import free_port

ASK, NEW = "/sign-in/forgotten", password_links.PATH
GOOD = "a kennel by the sea"


@pytest.fixture
def app(make_app, mail_server):
    """A unit that sends mails, in which Badr has an address."""
    app = make_app(**mail_server.settings())
    give_address(app)
    return app


def give_address(app, address="badr@unit.example"):
    with app.app_context():
        find_user("badr").email = address
        db.session.commit()


def ask(client, name: str, language: str = "en"):
    token = csrf_token(client.get(f"{ASK}?lang={language}").text)
    return client.post(ASK, data={"username": name, "csrf_token": token})


def work(app) -> list[JobRun]:
    """Execute what waits; all runs of the job, the oldest first."""
    with app.app_context():
        jobs = select(JobRun.id).where(JobRun.job == password_links.SEND)
        return [run_here(run) for run in db.session.scalars(jobs.order_by(JobRun.id)).all()]


def path_in(letter) -> str:
    """The way that the letter's link leads within the product."""
    return re.search(r"https://k9\.unit\.example(/\S+)", text_of(letter))[1]


def token_of(letter) -> str:
    return path_in(letter).rpartition("/")[2]


def set_new(client, password: str = GOOD, again: str = ""):
    page = client.get(NEW).text
    data = {"csrf_token": csrf_token(page), "new": password, "again": again or password}
    return client.post(NEW, data=data)


def test_password_is_set_by_the_link_of_the_mail(app, client, client_of, mail_server, badr):
    elsewhere = client_of(badr)
    answer = ask(client, "BADR")
    assert (answer.status_code, "on its way" in answer.text) == (200, True)
    [run] = work(app)
    assert (run.state, run.result) == ("succeeded", {"sent": True})
    [letter] = mail_server.letters
    assert letter["To"] == "badr@unit.example"
    led = client.get(path_in(letter))
    assert (led.status_code, led.location) == (303, NEW)
    assert led.headers["Referrer-Policy"] == "no-referrer"
    done = set_new(client)
    assert (done.status_code, done.location) == (303, "/sign-in")
    assert "Your new password is set" in client.get("/sign-in").text
    assert elsewhere.get("/account").status_code == 302
    sign_in(client, type(badr)("badr", "", "", GOOD))
    assert "set by a link in a mail" in words_of(client.get("/notifications"))
    with app.app_context():
        actions = list(db.session.scalars(select(AuditEntry.action)))
        assert {"user.password_link_asked", "user.password_reset"} <= {*actions}


def test_link_opens_once(app, client, mail_server):
    ask(client, "badr@UNIT.example")
    work(app)
    token = token_of(mail_server.letters[0])
    with app.app_context():
        password_links.set_password(token, GOOD, ip=None)
        with pytest.raises(LinkVoid):
            password_links.set_password(token, GOOD, ip=None)


def test_link_opens_once_when_many_use_it_at_once(app, client, mail_server):
    ask(client, "badr")
    work(app)
    token = token_of(mail_server.letters[0])

    def use(number: int) -> bool:
        with app.app_context():
            try:
                password_links.set_password(token, f"{GOOD} {number}", ip=None)
            except LinkVoid:
                return False
            return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(use, range(4))) == 1


def test_two_links_at_once_set_one_password(app, client, mail_server):
    for _ in range(3):
        ask(client, "badr")
    work(app)
    tokens = [token_of(letter) for letter in mail_server.letters]
    together = Barrier(3)

    def use(token: str) -> bool:
        with app.app_context():
            password_links.find_link(token)
            together.wait()
            try:
                password_links.set_password(token, f"{GOOD} {tokens.index(token)}", ip=None)
            except LinkVoid:
                return False
            return True

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(use, tokens)) == 1


@pytest.mark.parametrize("change", ["time", "password", "address", "inactive", "none"])
def test_link_is_void_when_it_no_longer_fits(app, client, mail_server, change):
    ask(client, "badr")
    work(app)
    path = path_in(mail_server.letters[0])
    with app.app_context():
        user = find_user("badr")
        if change == "time":
            past = clock.utcnow() - timedelta(seconds=1)
            db.session.execute(update(PasswordReset).values(expires_at=past))
        elif change == "password":
            services.set_password("badr", "eight quiet kennels", actor=services.COMMAND_LINE)
        elif change == "address":
            user.email = "other@unit.example"
        elif change == "inactive":
            user.active = False
        else:
            path = f"{NEW}/{'x' * 43}"
        db.session.commit()
    client.get(path)
    answer = client.get(NEW)
    assert (answer.status_code, answer.location) == (303, ASK)
    assert "does not hold any more" in client.get(f"{ASK}?lang=en").text


def test_page_without_a_link_leads_to_where_one_asks(client):
    assert client.get(NEW).location == ASK


def test_rules_of_passwords_hold_and_the_link_stays(app, client, mail_server):
    ask(client, "badr")
    work(app)
    client.get(path_in(mail_server.letters[0]))
    assert "10 to 128" in faults(set_new(client, "short").text)["new"]
    assert "not the same" in faults(set_new(client, GOOD, "other").text)["again"]
    assert set_new(client).status_code == 303


def test_two_step_code_is_asked_for_after_a_new_password_too(app, client, mail_server, badr):
    switch_on(app, badr)
    ask(client, "badr")
    work(app)
    with app.app_context():
        password_links.set_password(token_of(mail_server.letters[0]), GOOD, ip=None)
        with pytest.raises(CodeNeeded):
            services.sign_in("badr", GOOD, ip=None)


def test_locked_name_opens_by_the_link(app, client, mail_server):
    with app.app_context():
        for _ in range(4):
            with pytest.raises(SignInRefused):
                services.sign_in("badr", "wrong", ip=None)
    ask(client, "badr")
    work(app)
    with app.app_context():
        password_links.set_password(token_of(mail_server.letters[0]), GOOD, ip=None)
        assert services.sign_in("badr", GOOD, ip=None).username == "badr"


def test_link_opens_no_name_that_wrong_codes_locked(app, client, mail_server, badr):
    secret, _ = switch_on(app, badr)
    ask(client, "badr")
    work(app)
    with app.app_context():
        user = find_user("badr")
        for left in range(4, -1, -1):
            with pytest.raises(SignInRefused if left else SignInLocked):
                services.sign_in_by_code(user, other_than(code_of(secret)), ip=None)
        password_links.set_password(token_of(mail_server.letters[0]), GOOD, ip=None)
        with pytest.raises(SignInLocked):
            services.sign_in("badr", GOOD, ip=None)
        with pytest.raises(SignInLocked):
            services.sign_in_by_code(user, code_of(secret), ip=None)


def test_answer_is_the_same_whether_anybody_has_the_name(app, client, mail_server):
    def said(name: str) -> str:
        return words_of(ask(client, name))

    assert said("badr") == said("nobody-at-all") == said("amal") == said("nul\0byte")
    runs = work(app)
    assert [run.result for run in runs] == [{"sent": True}] + [{"sent": False}] * 3
    assert len(mail_server.letters) == 1
    assert "nobody-at-all" not in json.dumps([run.arguments for run in runs])


def test_name_is_mailed_three_times_in_a_quarter_of_an_hour_at_most(app, client, mail_server):
    answers = [ask(client, "badr").status_code for _ in range(5)]
    assert answers == [200] * 5
    work(app)
    assert len(mail_server.letters) == 3


def test_another_spelling_is_the_same_name(app, client, mail_server):
    for name in ("badr", " badr", "badr  ", "BADR", "badr@unit.example", " Badr@Unit.example "):
        assert ask(client, name).status_code == 200
    work(app)
    assert len(mail_server.letters) == 3


def test_tries_at_the_door_stop_no_links(app, client, mail_server):
    with app.app_context():
        user_id = find_user("badr").id
        for name in ("link badr", "links to badr", f"links of {user_id}"):
            for _ in range(4):
                with pytest.raises(SignInRefused):
                    services.sign_in(name, "wrong", ip=None)
    ask(client, "badr")
    work(app)
    assert len(mail_server.letters) == 1


def test_one_place_asks_for_twenty_links_at_most(app, client):
    for number in range(password_links.FROM_ONE_PLACE):
        assert ask(client, f"somebody {number}").status_code == 200
    refused = ask(client, "badr")
    assert (refused.status_code, "Too many links" in refused.text) == (429, True)
    assert 0 < int(refused.headers["Retry-After"]) <= tries.LOCK.total_seconds()


def test_token_stands_in_no_run_and_no_log(app, client, mail_server, caplog):
    caplog.set_level(logging.DEBUG)
    ask(client, "badr")
    [run] = work(app)
    token = token_of(mail_server.letters[0])
    with app.app_context():
        lines = db.session.scalars(select(JobLogLine.message)).all()
        kept = db.session.scalars(select(PasswordReset.token_sha256)).all()
        assert token not in json.dumps([run.arguments, run.result, *lines, *kept])
    ours = [one.getMessage() for one in caplog.records if not one.name.startswith("mail.")]
    assert not [line for line in ours if token in line]


@pytest.mark.parametrize(("language", "own"), [("ar", None), ("en", "ar"), ("en", None)])
def test_mail_is_in_the_persons_language(app, client, mail_server, language, own):
    with app.app_context():
        find_user("badr").language = own
        db.session.commit()
    ask(client, "badr", language)
    work(app)
    [letter] = mail_server.letters
    html, is_arabic = text_of(letter, "html"), (own or language) == "ar"
    assert f'dir="{"rtl" if is_arabic else "ltr"}"' in html
    assert ("كلمة مرور جديدة" in letter["Subject"]) == is_arabic
    assert path_in(letter) in html


def test_failed_mail_fails_the_run_and_a_retry_sends_it(make_app, mail_server):
    app = make_app(**settings_of(free_port()))
    give_address(app)
    ask(app.test_client(), "badr")
    [run] = work(app)
    assert (run.state, run.error_code) == ("failed", "mail_failed")
    assert "MAIL_SERVER" in run.error_message
    well = make_app(**mail_server.settings())
    retry(well, run)
    assert [one.state for one in work(well)] == ["succeeded"]
    assert len(mail_server.letters) == 1


def test_mail_that_may_have_gone_is_not_sent_again(make_app, make_mail_server, mail_server):
    app = make_app(**make_mail_server(drops=True).settings())
    give_address(app)
    ask(app.test_client(), "badr")
    [run] = work(app)
    assert (run.state, run.error_code) == ("failed", "mail_unknown")
    well = make_app(**mail_server.settings())
    retry(well, run)
    assert [one.state for one in work(well)] == ["failed"]
    assert mail_server.letters == []


def retry(app, run: JobRun) -> None:
    from k9ops.jobs.control import retry_run

    with app.app_context():
        retry_run(run.id, "amal")


def test_administrator_sends_a_link(app, client_of, mail_server, amal):
    client = client_of(amal)
    with app.app_context():
        url = f"/users/{find_user('badr').id}"
    page = client.get(f"{url}?lang=en").text
    assert "Send a link" in page
    client.post(f"{url}/password-link", data={"csrf_token": csrf_token(page)})
    assert "badr@unit.example" in client.get(url).text
    [run] = work(app)
    assert (run.result, run.requested_by) == ({"sent": True}, "amal")
    with app.app_context():
        own = f"/users/{find_user('amal').id}"
    assert "Send a link" not in client.get(own).text
    client.post(f"{own}/password-link", data={"csrf_token": csrf_token(page)})
    assert "No mail reaches this person." in client.get(own).text


@on_one_kind
def test_nothing_is_offered_where_mail_is_not_set_up(make_app):
    client = make_app().test_client()
    assert "Forgot your password?" not in client.get("/sign-in?lang=en").text
    for path in (ASK, NEW, f"{NEW}/token"):
        assert client.get(path).status_code == 404


@on_one_kind
def test_run_says_so_when_mail_is_not_set_up(make_app):
    from k9ops.jobs import dispatch

    app = make_app()
    give_address(app)
    with app.app_context():
        run = dispatch(password_links.SEND, {"user_id": find_user("badr").id})
        assert run_here(run.id).error_code == "mail_off"


def test_links_that_are_over_go_when_the_next_is_made(app, client):
    ask(client, "badr")
    work(app)
    with app.app_context():
        past = clock.utcnow() - timedelta(seconds=1)
        db.session.execute(update(PasswordReset).values(expires_at=past))
        db.session.commit()
    ask(client, "badr")
    work(app)
    with app.app_context():
        assert len(db.session.scalars(select(PasswordReset.id)).all()) == 1
        assert db.session.scalars(select(JobAttempt.id)).all()
