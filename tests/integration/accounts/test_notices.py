"""What people are told when somebody touches their account: on the page, and by mail."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select, update

from k9ops.accounts import managing, services, two_step
from k9ops.accounts.managing import UserValues
from k9ops.accounts.models import User
from k9ops.accounts.permissions import Role
from k9ops.accounts.profiles import ProfileValues, change_profile
from k9ops.accounts.queries import find_user
from k9ops.audit.services import COMMAND_LINE
from k9ops.core.db import db
from k9ops.jobs.foreground import run_here
from k9ops.jobs.models import JobRun
from k9ops.notifications.mails import SEND
from k9ops.notifications.models import Notification
from tests.support.codes import switch_on
from tests.support.databases import on_one_kind
from tests.support.mail import settings_of, text_of
from tests.support.pages import words_of
from tests.support.waiting import free_port

GOOD = "a kennel by the sea"


@pytest.fixture
def app(make_app, mail_server):
    """A unit that sends mails, in which Badr has an address and reads English."""
    app = make_app(**mail_server.settings())
    keep(app, email="badr@unit.example", language="en")
    return app


def keep(app, **values):
    with app.app_context():
        db.session.execute(update(User).where(User.username == "badr").values(values))
        db.session.commit()


def send(app) -> list[JobRun]:
    """Execute the runs that send mails; the oldest first."""
    with app.app_context():
        runs = select(JobRun.id).where(JobRun.job == SEND).order_by(JobRun.id)
        return [run_here(run) for run in db.session.scalars(runs).all()]


def change_password(app, badr):
    with app.app_context():
        services.change_password(find_user("badr"), badr.password, GOOD, actor=COMMAND_LINE)


def set_password(app, badr):
    with app.app_context():
        services.set_password("badr", GOOD, actor=COMMAND_LINE)


def use_recovery_code(app, badr):
    _, codes = switch_on(app, badr)
    with app.app_context():
        services.sign_in_by_code(find_user("badr"), codes[0], ip=None)


def renew_codes(app, badr):
    switch_on(app, badr)
    with app.app_context():
        two_step.renew_codes(find_user("badr"), badr.password, actor=COMMAND_LINE)


def switch_off(app, badr):
    switch_on(app, badr)
    with app.app_context():
        two_step.switch_off(find_user("badr"), badr.password, actor=COMMAND_LINE)


def reset(app, badr):
    switch_on(app, badr)
    with app.app_context():
        two_step.reset(find_user("badr"), actor=COMMAND_LINE)


def change_email(app, badr):
    with app.app_context():
        user = find_user("badr")
        values = ProfileValues(user.full_name, "other@unit.example", user.language, user.theme)
        change_profile(user, values, badr.password, actor=COMMAND_LINE)


@pytest.mark.parametrize(
    ("act", "title"),
    [
        (change_email, "The e-mail address of your account was changed"),
        (change_password, "Your password was changed"),
        (set_password, "A new password was set for your account"),
        (switch_on, "Your two-step verification was switched on"),
        (use_recovery_code, "A recovery code opened your account"),
        (renew_codes, "You have new recovery codes"),
        (switch_off, "Your two-step verification was switched off"),
        (reset, "Your two-step verification was reset"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_person_is_told_by_a_notification_and_a_mail(app, client_of, mail_server, badr, act, title):
    client = client_of(badr) if act in (use_recovery_code, renew_codes) else None
    act(app, badr)
    assert {run.state for run in send(app)} == {"succeeded"}
    letter = mail_server.letters[-1]
    assert (letter["To"], letter["Subject"]) == ("badr@unit.example", title)
    assert "https://k9.unit.example/account" in text_of(letter).splitlines()
    assert "?" not in text_of(letter)
    if client:
        assert title in words_of(client.get("/notifications?lang=en"))


def test_former_address_is_told_that_it_is_the_former_one(app, mail_server, badr):
    change_email(app, badr)
    send(app)
    text = text_of(mail_server.letters[-1])
    assert "your account had this address until now" in text
    assert "You change it in your account." not in text


def test_address_changed_by_two_at_once_is_told_once(app, badr):
    together = Barrier(2)

    def change(_: int) -> None:
        with app.app_context():
            user = find_user("badr")
            together.wait(10)
            managing.change_user(
                user.id, UserValues("", "other@unit.example", Role(user.role)), actor=COMMAND_LINE
            )

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(change, range(2)))
    assert len(send(app)) == 1


def test_letter_tells_how_many_codes_are_left_and_when_it_was(app, mail_server, badr):
    use_recovery_code(app, badr)
    send(app)
    text = text_of(mail_server.letters[-1])
    assert "Recovery codes left: 9." in text
    assert "It happened on " in text


@on_one_kind
def test_letter_is_in_the_language_that_the_person_chose_else_in_arabic(app, mail_server, badr):
    for language in ("ar", None):
        keep(app, language=language)
        set_password(app, badr)
        send(app)
        assert mail_server.letters[-1]["Subject"] == "وُضعت كلمة مرور جديدة لحسابك"


@on_one_kind
@pytest.mark.parametrize("values", [{"email": None}, {"active": False}])
def test_nobody_gets_a_letter_whom_none_reaches(app, mail_server, badr, values):
    keep(app, **values)
    set_password(app, badr)
    assert send(app) == []
    with app.app_context():
        assert db.session.scalar(select(Notification.kind)) == services.PASSWORD_SET


@on_one_kind
def test_letter_stays_away_when_the_address_or_the_notification_is_gone_by_then(
    app, mail_server, badr
):
    set_password(app, badr)
    keep(app, email=None)
    [run] = send(app)
    assert (run.result, mail_server.letters) == ({"sent": False}, [])


@on_one_kind
def test_password_is_set_though_the_mail_server_is_away(make_app, badr):
    app = make_app(**settings_of(free_port()))
    keep(app, email="badr@unit.example")
    set_password(app, badr)
    [run] = send(app)
    assert (run.state, run.error_code) == ("failed", "mail_failed")
    with app.app_context():
        assert services.sign_in("badr", GOOD, ip=None)
