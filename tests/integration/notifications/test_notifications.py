"""Telling people, each in their language, and their own page about it."""

import pytest
from flask_babel import force_locale
from sqlalchemy import select

from k9ops.accounts.queries import find_user
from k9ops.core.db import db
from k9ops.core.errors import NotFound
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.notifications import queries, services
from k9ops.notifications.kinds import Kind, register_kind, show
from k9ops.notifications.models import Notification
from k9ops.notifications.services import Message, notify, notify_holders
from tests.support.people import csrf_token

register_kind("test.word", Kind("bell", "part", _l("Failed"), "%(what)s at %(when)s"))


def tell(*names: str, key: str | None = None, **params: object) -> int:
    users = [find_user(name).id for name in names]
    told = notify(db.session(), users, Message("test.word", "/runs", params, key))
    db.session.commit()
    return told


def rows_of(name: str) -> list[Notification]:
    wanted = select(Notification).where(Notification.user_id == find_user(name).id)
    return list(db.session.scalars(wanted.order_by(Notification.id)))


def test_notify_tells_each_person_once_when_the_key_is_the_same(context):
    assert tell("amal", "badr", key="run 7") == 2
    assert tell("amal", "badr", key="run 7") == 0
    assert tell("amal", key="run 8") == 1
    assert tell("amal") == tell("amal") == 1


def test_notify_is_undone_with_the_callers_transaction(context):
    notify(db.session(), [find_user("amal").id], Message("test.word"))
    db.session.rollback()
    assert rows_of("amal") == []


def test_notify_refuses_a_kind_without_words(context):
    with pytest.raises(LookupError, match=r"test\.unknown"):
        notify(db.session(), [1], Message("test.unknown"))


def test_notify_holders_tells_those_who_hold_the_permission(context):
    assert notify_holders(db.session(), "runs.manage", Message("test.word")) == 1
    db.session.commit()
    assert len(rows_of("amal")) == 1
    assert rows_of("badr") == []


def test_notification_is_put_into_words_when_it_is_read(context):
    tell("amal", what="dump\0", when="02:00")
    with force_locale("en"):
        shown = show(rows_of("amal")[0])
    assert (shown.title, shown.family, shown.is_read) == ("Failed", "part", False)
    assert shown.text == "dump\N{REPLACEMENT CHARACTER} at 02:00"


def test_notification_is_shown_although_a_param_or_its_kind_is_gone(context):
    tell("amal", what="dump")
    row = rows_of("amal")[0]
    assert show(row).text == "dump at ?"
    row.kind = "of.an.older.version"
    assert show(row).icon == "bell"


def test_mark_read_works_only_on_ones_own(context):
    tell("amal")
    own, other = find_user("amal").id, find_user("badr").id
    number = rows_of("amal")[0].id
    assert not services.mark_read(other, number)
    with pytest.raises(NotFound):
        queries.get_notification(other, number)
    assert services.mark_read(own, number)
    assert not services.mark_read(own, number)
    assert queries.unread_count(own) == 0


def test_mark_all_read_leaves_what_came_after_the_page_was_drawn(context):
    for _ in range(3):
        tell("amal", "badr")
    own = find_user("amal").id
    services.mark_all_read(own, up_to=rows_of("amal")[1].id)
    assert queries.unread_count(own) == 1
    services.mark_all_read(own)
    assert queries.unread_count(own) == 0
    assert queries.unread_count(find_user("badr").id) == 3


def test_unread_count_stops_where_nobody_counts_further(context):
    own = find_user("amal").id
    db.session.add_all(Notification(user_id=own, kind="test.word") for _ in range(120))
    db.session.commit()
    assert queries.unread_count(own) == 100


def test_pages_follow_each_other_in_both_directions(context):
    for _ in range(7):
        tell("amal")
    own, ids = find_user("amal").id, [row.id for row in rows_of("amal")][::-1]
    first = queries.list_notifications(own, limit=3)
    second = queries.list_notifications(own, limit=3, before=first.older)
    last = queries.list_notifications(own, limit=3, before=second.older)
    pages = [[row.id for row in page.items] for page in (first, second, last)]
    assert pages == [ids[:3], ids[3:6], ids[6:]]
    assert (first.newer, last.older) == (None, None)
    back = queries.list_notifications(own, limit=3, after=second.newer)
    assert [row.id for row in back.items] == ids[:3]
    assert back.newer is None


def test_page_beyond_either_end_is_the_newest_page(context):
    tell("amal")
    own = find_user("amal").id
    for key in ({"before": 0}, {"after": 10**9}):
        assert len(queries.list_notifications(own, **key).items) == 1


def test_page_shows_ones_own_and_the_bell_counts_them(client_of, app, amal, badr):
    with app.app_context():
        tell("amal", what="the evening dump", when="02:00")
    page = client_of(amal).get("/notifications?lang=en").text
    assert "the evening dump at 02:00" in page
    assert "Notifications, 1 unread" in page
    assert "the evening dump" not in client_of(badr).get("/notifications?lang=en").text


def test_opening_one_marks_it_read_and_leads_where_it_points(client_of, app, amal, badr):
    with app.app_context():
        tell("amal")
        number = rows_of("amal")[0].id
    mine, other = client_of(amal), client_of(badr)
    data = {"csrf_token": csrf_token(other.get("/notifications?lang=en").text)}
    assert other.post(f"/notifications/{number}/open", data=data).status_code == 404
    data = {"csrf_token": csrf_token(mine.get("/notifications?lang=en").text)}
    assert mine.post(f"/notifications/{number}/open", data=data).location == "/runs"
    assert "Notifications, 0 unread" in mine.get("/notifications?lang=en").text


def test_mark_all_read_from_the_page(client_of, app, amal):
    with app.app_context():
        tell("amal")
        tell("amal")
    client = client_of(amal)
    page = client.get("/notifications?lang=en").text
    answer = client.post("/notifications/read-all", data={"csrf_token": csrf_token(page)})
    assert answer.location == "/notifications"
    assert "You have read them all." in client.get("/notifications?lang=en").text
