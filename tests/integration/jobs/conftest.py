"""The engine in this process, with the tests' own jobs."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from k9ops.accounts.models import User
from k9ops.core.db import db
from tests.support.redis import RedisServer

#: Pick-up grace of `make_unit`, in seconds.
GRACE = 0.2


@pytest.fixture
def lease_seconds() -> float:
    return 1


@pytest.fixture
def engine_app(make_app: Callable[..., Flask], lease_seconds: float) -> Iterator[Flask]:
    app = make_app(jobs_extra_modules=("tests.support.jobs",), jobs_lease_seconds=lease_seconds)
    with app.app_context():
        yield app


@pytest.fixture
def user_id(engine_app: Flask) -> int:
    """Somebody to write rows for."""
    found = db.session.scalar(select(User.id).order_by(User.id).limit(1))
    db.session.rollback()
    return found


@pytest.fixture
def make_unit(
    make_app: Callable[..., Flask], redis_server: RedisServer
) -> Iterator[Callable[..., Flask]]:
    """`make_unit(setting=value)`: an application with a broker, its context pushed."""
    contexts = []

    def make(**settings: object) -> Flask:
        given = {"celery_broker_url": redis_server.url(1), "jobs_pickup_grace_seconds": GRACE}
        app = make_app(jobs_extra_modules=("tests.support.jobs",), **{**given, **settings})
        contexts.append(app.app_context())
        contexts[-1].push()
        return app

    yield make
    for context in reversed(contexts):
        context.pop()


@pytest.fixture
def messages(redis_server: RedisServer) -> Callable[[], int]:
    """How many messages the default queue holds."""

    def count() -> int:
        with redis_server.client(1) as client:
            return sum(client.llen(key) for key in client.scan_iter("k9_tasks*"))

    return count
