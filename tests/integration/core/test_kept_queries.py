"""Queries that are compiled once, on both databases: rows, values and times as the session's."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError

from k9ops.accounts.models import User
from k9ops.core.clock import db_now
from k9ops.core.db import db
from k9ops.core.prepared_statements import KeptQuery
from tests.support.databases import dispose

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


def test_each_application_asks_its_own_database(make_app, app: Flask, databases, database_kind):
    url = databases.new(database_kind)
    other = make_app(database_url=url)
    count = COUNT.scalar(db.session())
    with other.app_context():
        db.session.execute(delete(User).where(User.username == "badr"))
        assert COUNT.scalar(db.session()) == count - 1
        db.session.rollback()
    with app.app_context():
        assert COUNT.scalar(db.session()) == count
    dispose(other)
    databases.drop(url)


def test_plan_that_is_older_than_its_table_is_given_up(app: Flask, database_kind):
    """As after a migration beside a running process: one page fails at most."""
    notes = Table("kept_notes", MetaData(), Column("note", Integer))
    kept = KeptQuery(lambda: select(notes.c.note))
    notes.create(db.engine)
    with db.engine.begin() as connection:
        connection.execute(insert(notes).values(note=7))
    assert kept.scalar(db.session()) == 7
    db.session.rollback()
    if database_kind == "postgresql":
        with db.engine.begin() as connection:
            connection.execute(text("ALTER TABLE kept_notes ALTER note TYPE bigint"))
        with pytest.raises(DBAPIError):
            kept.scalar(db.session())
        db.session.rollback()
    assert kept.scalar(db.session()) == 7
    db.session.rollback()
    notes.drop(db.engine)
