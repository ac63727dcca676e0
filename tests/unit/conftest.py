"""Requests in either language, without a database."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from k9ops.app import create_app
from tests.support.databases import dispose, make_settings

Reading = Callable[[str], AbstractContextManager[object]]


@pytest.fixture
def reading(tmp_path: Path) -> Iterator[Reading]:
    """What a reader of `ar` or `en` sees, on the clock of Riyadh; a context."""
    app = create_app(make_settings(tmp_path))

    @contextmanager
    def read(language: str) -> Iterator[None]:
        with app.test_request_context(f"/?lang={language}"):
            yield

    yield read
    dispose(app)
