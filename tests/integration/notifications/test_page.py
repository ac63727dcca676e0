"""The page of one's notifications: which are shown, marking them, and a very long list."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from k9ops.accounts.queries import find_user
from k9ops.core.db import db
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.notifications import queries
from k9ops.notifications.kinds import Kind, register_kind
from k9ops.notifications.services import Message, mark_read, notify
from tests.support.people import Person, csrf_token
from tests.support.statements import noted, plan_of

register_kind("test.said", Kind("bell", "run", _l("Notification"), "word %(word)s."))
register_kind("test.other", Kind("bell", "run", "%(word)s", "word %(word)s.", name=_l("Run")))
STATEMENTS_AT_MOST = 25
MANY = 20_000


@pytest.fixture
def tell(app: Flask) -> Callable[..., list[int]]:
    """`tell("amal", "word", …)`: each word is a notification; the ids."""

    def write(name: str, *words: str, read: bool = False, kind: str = "test.said") -> list[int]:
        with app.app_context():
            person = find_user(name).id
            for word in words:
                notify(db.session(), [person], Message(kind, "/runs", {"word": word}))
            db.session.commit()
            rows = queries.list_notifications(person, limit=len(words)).items
            ids = [row.id for row in rows][::-1]
            for one in ids if read else ():
                mark_read(person, one)
            return ids

    return write


@pytest.fixture
def page(client_of, amal: Person) -> FlaskClient:
    return client_of(amal)


def words_of(client: FlaskClient, address: str) -> list[str]:
    return re.findall(r"word (\w+)\.", client.get(address).text)


def post(client: FlaskClient, address: str, **fields: object):
    token = csrf_token(client.get("/notifications").text)
    return client.post(address, data={"csrf_token": token, **fields})


def test_page_shows_all_the_unread_or_the_read_ones(page, tell):
    tell("amal", "old", read=True)
    tell("amal", "new", "newer")
    assert words_of(page, "/notifications") == ["newer", "new", "old"]
    assert words_of(page, "/notifications?show=unread") == ["newer", "new"]
    assert words_of(page, "/notifications?show=read") == ["old"]
    assert words_of(page, "/notifications?show=sideways") == ["newer", "new", "old"]


def test_filter_is_kept_when_one_turns_the_page(page, tell):
    tell("amal", *(f"r{number}" for number in range(26)), read=True)
    tell("amal", "unread")
    text_of_page = page.get("/notifications?show=read&lang=en").text
    older = re.search(r'rel="next" href="([^"]+)"', text_of_page)[1].replace("&amp;", "&")
    assert "show=read" in older
    assert words_of(page, older) == ["r0"]


def test_marking_one_leads_back_to_the_same_filter_and_place(page, tell):
    ids = tell("amal", "one", "two")
    here = f"/notifications?show=unread&before={ids[1]}"
    forms = re.findall(r'<form[^>]* action="/notifications/.*?</form>', page.get(here).text, re.S)
    back = f'name="next" value="{here.replace("&", "&amp;")}"'
    assert [back in form for form in forms if "/open" not in form] == [True, True]
    answer = post(page, f"/notifications/{ids[0]}/read", next=here)
    assert answer.location == here
    assert words_of(page, "/notifications?show=unread") == ["two"]


def test_marking_never_leads_to_another_site(page, tell):
    ids = tell("amal", "one")
    answer = post(page, f"/notifications/{ids[0]}/read", next="//elsewhere.example/")
    assert answer.location == "/notifications"


@pytest.mark.parametrize("address", ["/notifications", "/notifications?show=read"])
def test_all_means_all_until_the_page_was_drawn(page, tell, address):
    tell("amal", "seen", read=True)
    tell("amal", "unread")
    up_to = re.search(r'name="up_to" value="(\d+)"', page.get(address).text)[1]
    tell("amal", "later")
    post(page, "/notifications/read-all", up_to=up_to)
    assert words_of(page, "/notifications?show=unread") == ["later"]


def test_filter_by_kind_offers_what_the_person_has(page, tell, client_of, badr):
    tell("amal", "one")
    tell("amal", "two", kind="test.other")
    assert words_of(page, "/notifications?kind=test.other") == ["two"]
    assert words_of(page, "/notifications?kind=test.said&show=unread") == ["one"]
    assert words_of(page, "/notifications?kind=nothing") == ["two", "one"]
    assert '<option value="test.other">Run</option>' in page.get("/notifications").text
    tell("badr", "his")
    assert "test.other" not in client_of(badr).get("/notifications").text


def test_filter_that_nothing_matches_offers_to_clear_it(page, tell):
    tell("amal", "one", read=True)
    text_of_page = page.get("/notifications?kind=test.said&show=unread").text
    assert "No notification matches these filters" in text_of_page
    assert 'href="/notifications"><span>Clear the filters' in text_of_page
    assert "read-all" not in text_of_page


def test_all_of_a_kind_are_marked_and_counted(page, tell):
    tell("amal", "one", "two")
    tell("amal", "other", kind="test.other")
    here = "/notifications?kind=test.said&show=unread"
    text_of_page = page.get(here).text
    assert "Mark all of this kind as read" in text_of_page
    assert 'name="kind" value="test.said"' in text_of_page
    assert post(page, "/notifications/read-all", kind="test.said", next=here).location == here
    assert "2 notifications were marked as read." in page.get("/notifications").text
    assert words_of(page, "/notifications?show=unread") == ["other"]


def test_filter_by_a_kind_that_one_has_none_of_marks_no_other(page, tell):
    tell("amal", "one")
    text_of_page = page.get("/notifications?kind=test.other").text
    assert words_of(page, "/notifications?kind=test.other") == []
    assert '<option value="test.other" selected>Run</option>' in text_of_page
    assert "No notification matches these filters" in text_of_page
    assert "read-all" not in text_of_page


@pytest.mark.parametrize("kind", ["test.other", "of.an.older.version", "\0"])
def test_nothing_is_marked_of_a_kind_without_notifications(page, tell, kind):
    tell("amal", "one")
    post(page, "/notifications/read-all", kind=kind)
    assert words_of(page, "/notifications?show=unread") == ["one"]


def test_file_holds_what_the_filters_show_of_ones_own(page, tell, client_of, badr):
    tell("amal", "old", read=True)
    tell("amal", "=new")
    tell("badr", "his")
    text_of_file = page.get("/notifications/export/csv?show=unread").data.decode("utf-8-sig")
    heads, *rows = text_of_file.splitlines()
    assert heads == "When,Notification,What happened,Read at,Page"
    assert [row.partition(",")[2] for row in rows] == ["Notification,word =new.,,/runs"]
    assert page.get("/notifications/export/xlsx?kind=test.said").status_code == 200
    assert "word his." in client_of(badr).get("/notifications/export/csv").text


def test_nobody_marks_or_opens_what_is_anothers(page, tell, client_of, badr):
    ids = tell("amal", "mine")
    other = client_of(badr)
    for action in ("read", "open"):
        assert post(other, f"/notifications/{ids[0]}/{action}").status_code == 404
    post(other, "/notifications/read-all")
    assert words_of(page, "/notifications?show=unread") == ["mine"]
    assert words_of(other, "/notifications?show=unread") == []


def test_page_asks_a_visitor_to_sign_in(client):
    assert client.get("/notifications?show=unread").location.startswith("/sign-in")


@pytest.mark.parametrize(
    ("show", "words"), [("unread", "Nothing needs you now"), ("read", "You have read none yet")]
)
def test_empty_list_says_what_will_stand_there(page, show, words):
    assert words in page.get(f"/notifications?show={show}&lang=en").text


@pytest.fixture
def engine(app: Flask) -> Engine:
    with app.app_context():
        return db.engine


@pytest.fixture
def many(fill, engine) -> None:
    """What a person has who reads everything, but the newest."""
    fill(MANY - 50, read_days_ago=3)
    fill(50)
    with engine.begin() as connection:
        connection.execute(text("ANALYZE"))


@pytest.mark.parametrize("asked", ["", "show=unread", "show=read", "kind=test.said"])
def test_page_looks_only_into_indexes_when_the_list_is_long(page, engine, many, asked):
    with noted(engine) as statements:
        assert page.get(f"/notifications?{asked}").status_code == 200
    assert len(statements) <= STATEMENTS_AT_MOST
    looks = [one for one in statements if "FROM notifications" in one[0]]
    assert looks
    for statement, values in looks:
        plan = plan_of(engine, statement, values)
        assert not re.search(r"Seq Scan on notifications|SCAN notifications(?! USING)", plan), plan


def test_all_are_marked_by_one_statement_when_they_are_many(page, engine, fill):
    fill(2_000)
    with noted(engine) as statements:
        post(page, "/notifications/read-all")
    written = [statement for statement, _ in statements if "UPDATE notifications" in statement]
    assert len(written) == 1
    assert words_of(page, "/notifications?show=unread") == []
