"""Queries that are compiled once, on both databases: rows, values and times as the session's."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import Integer, bindparam, func, select

from k9ops.accounts.models import User
from k9ops.core.clock import db_now
from k9ops.core.db import db
from k9ops.core.prepared_statements import KeptQuery

pytestmark = pytest.mark.usefixtures("context")

LATER = KeptQuery(
    lambda: (
        select(User.id, User.username, User.active, User.created_at, User.last_sign_in_at)
        .where(User.id > bindparam("after", type_=Integer), User.username != "nobody")
        .order_by(User.id)
        .limit(2)
    )
)
COUNT = KeptQuery(lambda: select(func.count()).select_from(User))
NOW = KeptQuery(lambda: select(db_now().label("now")))


def test_rows_are_those_of_the_session():
    users = list(db.session.scalars(select(User).order_by(User.id)))
    for after in (users[0].id, users[1].id):
        wanted = [user for user in users if user.id > after][:2]
        for row, user in zip(LATER.all(db.session(), after=after), wanted, strict=True):
            assert row.id == user.id
            assert row.username == user.username
            assert row.active is True
            assert row.created_at == user.created_at
            assert row.last_sign_in_at is None


def test_scalar_without_parameters_is_asked_anew():
    count = COUNT.scalar(db.session())
    first = db.session.scalars(select(User).order_by(User.id)).first()
    db.session.delete(first)
    db.session.flush()
    assert COUNT.scalar(db.session()) == count - 1


def test_no_row_has_no_scalar():
    assert LATER.scalar(db.session(), after=1_000_000) is None
    assert LATER.all(db.session(), after=1_000_000) == []


def test_instants_are_aware():
    now = NOW.scalar(db.session())
    assert isinstance(now, datetime)
    assert now.utcoffset() == timedelta(0)


def test_two_applications_do_not_share_a_connection(make_app, app: Flask):
    other = make_app()
    with other.app_context():
        assert COUNT.scalar(db.session()) > 0
    with app.app_context():
        assert COUNT.scalar(db.session()) > 0
