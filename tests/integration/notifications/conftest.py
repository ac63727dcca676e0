"""Notifications of every age, written past the services."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import insert, select

from k9ops.accounts.queries import find_user
from k9ops.core.clock import read_now
from k9ops.core.db import db
from k9ops.notifications.models import Notification


@pytest.fixture
def fill(app: Flask) -> Callable[..., list[int]]:
    """`fill(n, read_days_ago=40)`: n notifications to Amal; their ids."""

    def write(
        count: int, *, read_days_ago: float | None = None, created_days_ago: float = 90
    ) -> list[int]:
        with app.app_context():
            now, before = read_now(db.session()), db.session.scalars(select(Notification.id)).all()
            row = {
                "user_id": find_user("amal").id,
                "kind": "test.word",
                "params": {},
                "created_at": now - timedelta(days=created_days_ago),
                "read_at": None if read_days_ago is None else now - timedelta(days=read_days_ago),
            }
            db.session.execute(insert(Notification), [row] * count)
            db.session.commit()
            return sorted(set(db.session.scalars(select(Notification.id))) - set(before))

    return write


@pytest.fixture
def ids(app: Flask) -> Callable[[], list[int]]:
    """The ids of all notifications, in order."""

    def read() -> list[int]:
        with app.app_context():
            return sorted(db.session.scalars(select(Notification.id)))

    return read
