"""A bare application for texts."""

from collections.abc import Iterator

import pytest
from flask import Flask

from k9ops.core.i18n import babel


@pytest.fixture
def flask_context() -> Iterator[None]:
    app = Flask("texts")
    babel.init_app(app, locale_selector=lambda: "en")
    with app.app_context():
        yield
