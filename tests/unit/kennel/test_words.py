"""How old dogs are, in words."""

from datetime import date

import pytest

from k9ops.core import clock
from k9ops.core.checks import unit_today
from k9ops.kennel.words import age


@pytest.mark.parametrize(
    ("born_on", "words"),
    [
        (date(2022, 4, 17), "4 years, 7 months"),
        (date(2022, 4, 18), "4 years, 6 months"),
        (date(2025, 11, 17), "1 year"),
        (date(2026, 10, 17), "1 month"),
        (date(2026, 11, 17), "0 months"),
        (None, "—"),
    ],
)
def test_age_counts_whole_months_only(reading, born_on, words, monkeypatch):
    with reading("en"):
        ahead = date(2026, 11, 17) - unit_today()
        monkeypatch.setattr(clock, "_offset_seconds", ahead.total_seconds())
        assert age(born_on) == words
