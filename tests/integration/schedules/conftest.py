import pytest

from tests.support.unit import SmallUnit, add_unit


@pytest.fixture
def unit(context) -> SmallUnit:
    return add_unit(context)
