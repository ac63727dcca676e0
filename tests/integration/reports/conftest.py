from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from k9ops.core.db import new_id
from k9ops.reports.queries import file_of
from k9ops.reports.services import make_document
from tests.support.unit import SmallUnit, add_unit

#: A Tuesday.
DAY = date(2026, 11, 17)


@pytest.fixture
def unit(context) -> SmallUnit:
    return add_unit(context)


@pytest.fixture
def made(context) -> Callable[..., Path]:
    """`made("duty_schedule", "ar", project="HRB")`: the file of a new document."""

    def make(report: str, language: str, **arguments: str) -> Path:
        return file_of(make_document(new_id(), report, arguments, language, by="amal"))

    return make
