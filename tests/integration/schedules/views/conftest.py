"""Today at the harbour, and who looks at its pages."""

import pytest

from k9ops.projects.scope import EVERYTHING
from k9ops.schedules.queries import items_of
from k9ops.schedules.services import NewItem
from tests.support.unit import add_unit, plan, today


@pytest.fixture
def unit(app):
    """Without a context around the test: each request has its own, as in life."""
    return add_unit(app)


@pytest.fixture
def inside(app):
    """`inside(function, …)`: calls it in a context of the application."""

    def run(function, *args, **kwargs):
        with app.app_context():
            return function(*args, **kwargs)

    return run


@pytest.fixture
def day(unit, inside):
    """Today at the harbour: Badr with Rex in the morning, Dalia in the evening."""
    return inside(
        plan,
        unit,
        today(),
        NewItem(unit.badr, unit.morning, unit.rex, unit.gate, "At dawn"),
        NewItem(unit.dalia, unit.evening),
    )


@pytest.fixture
def item(inside, day):
    return inside(items_of, EVERYTHING, day)[0].id


@pytest.fixture
def as_amal(client_of, amal):
    return client_of(amal)


@pytest.fixture
def as_caline(client_of, caline):
    return client_of(caline)


@pytest.fixture
def as_badr(client_of, badr):
    return client_of(badr)
