"""A forgotten password: from the sign-in page through the mail to the new one, in a browser."""

import pytest
from playwright.sync_api import expect

from k9ops.accounts.queries import find_user
from k9ops.core.db import db
from tests.support.mail import text_of, way_in
from tests.support.people import BADR, Person
from tests.support.waiting import wait_until
from tests.support.walking import look_at, sees_well, sign_in, visit

NEW = Person("badr", "", "handler", "a kennel by the sea")


@pytest.fixture
def server(make_instance, make_app, database_url, mail_server):
    """The product with a mail server, in which Badr has an address."""
    with make_app().app_context():
        find_user(BADR.username).email = "badr@unit.example"
        db.session.commit()
    return make_instance(database_url=database_url, **mail_server.settings()).start()


@pytest.mark.parametrize(
    ("language", "theme", "width"), [("ar", "light", 1360), ("en", "dark", 390)]
)
def test_password_is_renewed_by_mail(browser, server, mail_server, language, theme, width):
    size = {"width": width, "height": 900}
    with visit(browser, server, color_scheme=theme, viewport=size) as page:
        look_at(page, f"/sign-in?lang={language}")
        page.locator("a[href='/sign-in/forgotten']").click()
        sees_well(page, "who has forgotten it")
        page.fill("[name=username]", "badr@unit.example")
        page.click("form button.primary")
        sees_well(page, "the mail is on its way")
        wait_until(lambda: mail_server.letters, 30)
        page.goto(way_in(mail_server.letters[0]))
        assert page.url == f"{server.url}/sign-in/new-password"
        sees_well(page, "the new password")
        page.fill("[name=new]", NEW.password)
        page.fill("[name=again]", "something else")
        page.click("form button.primary")
        expect(page.locator(".fault")).to_be_visible()
        page.fill("[name=new]", NEW.password)
        page.fill("[name=again]", NEW.password)
        page.click("form button.primary")
        expect(page.locator(".banner.ok")).to_be_visible()
        sees_well(page, "the new password is set")
        sign_in(page, NEW, language)


@pytest.mark.parametrize(("language", "width"), [("ar", 700), ("en", 700), ("ar", 390)])
def test_mail_can_be_read(browser, server, mail_server, language, width):
    with visit(browser, server, viewport={"width": width, "height": 640}) as page:
        page.goto(f"/sign-in/forgotten?lang={language}")
        page.fill("[name=username]", "badr")
        page.click("form button.primary")
        wait_until(lambda: mail_server.letters, 30)
        page.goto("about:blank")  # no policy of ours holds in people's mailboxes
        page.set_content(text_of(mail_server.letters[0], "html"))
        sees_well(page, "the mail")
