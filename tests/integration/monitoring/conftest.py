"""The application with the tests' own jobs."""

import socket
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from k9ops.accounts import api_tokens
from k9ops.audit.services import COMMAND_LINE


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(jobs_extra_modules=("tests.support.jobs",), jobs_lease_seconds=1)


@pytest.fixture
def token_of(app: Flask) -> Callable[[str], dict[str, str]]:
    """`token_of("amal")`: headers with a token of hers."""

    def make(username: str) -> dict[str, str]:
        with app.app_context():
            token, _row = api_tokens.create_token(username, "test", days=1, actor=COMMAND_LINE)
        return {"Authorization": f"Bearer {token}"}

    return make


@pytest.fixture
def silent_server() -> Iterator[int]:
    """The port of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]
