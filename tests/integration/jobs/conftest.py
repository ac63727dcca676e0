"""The engine in this process, with the tests' own jobs."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from k9ops.accounts.models import User
from k9ops.core.db import db


@pytest.fixture
def engine_app(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    app = make_app(jobs_extra_modules=("tests.support.jobs",), jobs_lease_seconds=1)
    with app.app_context():
        yield app


@pytest.fixture
def user_id(engine_app: Flask) -> int:
    """Somebody to write rows for."""
    found = db.session.scalar(select(User.id).order_by(User.id).limit(1))
    db.session.rollback()
    return found
