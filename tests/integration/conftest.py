import pytest
from flask import Flask

from tests.support.unit import SmallUnit, add_unit


@pytest.fixture
def unit(app: Flask) -> SmallUnit:
    """The small unit, in the test's database."""
    return add_unit(app)
