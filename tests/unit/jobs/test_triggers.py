"""Due times, forwards, in any zone, over days that jump."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k9ops.core.errors import BadInput
from k9ops.jobs.triggers import Cron, Every, dues_between, next_due, next_dues

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def local(trigger: Cron, after: datetime, count: int) -> list[str]:
    return [due.astimezone(BERLIN).isoformat() for due in next_dues(trigger, after, count)]


def test_cron_reads_the_clock_of_its_zone():
    assert next_due(Cron("0 2 * * *", "Asia/Riyadh"), NOW) == datetime(2026, 11, 20, 23, tzinfo=UTC)


def test_cron_fires_on_sunday_when_the_weekday_is_0():
    assert next_due(Cron("0 3 * * 0", "UTC"), NOW).strftime("%A") == "Sunday"


def test_cron_fires_after_the_gap_when_its_time_does_not_exist():
    before = datetime(2027, 3, 27, 12, tzinfo=UTC)
    dues = local(Cron("30 2 * * *", "Europe/Berlin"), before, 2)
    assert dues == ["2027-03-28T03:00:00+02:00", "2027-03-29T02:30:00+02:00"]


def test_cron_fires_once_when_its_time_comes_twice():
    before = datetime(2026, 10, 24, 12, tzinfo=UTC)
    dues = local(Cron("30 2 * * *", "Europe/Berlin"), before, 2)
    assert dues == ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"]


def test_cron_fires_in_both_hours_when_it_is_an_interval():
    before = datetime(2026, 10, 25, 0, 15, tzinfo=UTC)
    dues = local(Cron("*/30 * * * *", "Europe/Berlin"), before, 3)
    assert dues == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T02:00:00+01:00",
        "2026-10-25T02:30:00+01:00",
    ]


def test_cron_has_no_next_due_when_its_day_never_comes():
    with pytest.raises(BadInput):
        Cron("0 0 31 2 *")


@pytest.mark.parametrize("expression", ["", "x", "61 * * * *", "* * * *", "0 25 * * *"])
def test_cron_refuses_what_is_no_expression(expression: str):
    with pytest.raises(BadInput) as caught:
        Cron(expression)
    assert caught.value.field == "cron"
    assert caught.value.hint


def test_cron_refuses_an_unknown_zone():
    with pytest.raises(BadInput, match="Mars"):
        Cron("* * * * *", "Mars/Base")


@pytest.mark.parametrize("seconds", [0, -1, 0.01, 10**9])
def test_interval_refuses_what_cannot_be_kept(seconds: float):
    with pytest.raises(BadInput) as caught:
        Every(seconds)
    assert caught.value.field == "every"


@settings(deadline=None)
@given(
    seconds=st.integers(1, 100_000),
    offset=st.integers(-(10**6), 10**6),
    span=st.integers(0, 20_000),
)
def test_interval_dues_are_the_multiples_since_the_anchor(seconds: int, offset: int, span: int):
    anchor = NOW
    after = NOW + timedelta(seconds=offset)
    until = after + timedelta(seconds=span)
    found = list(dues_between(Every(seconds, anchor), after, until))
    first, last = (after - anchor).total_seconds(), (until - anchor).total_seconds()
    expected = [k * seconds for k in range(int(first // seconds) + 1, int(last // seconds) + 1)]
    assert [(due - anchor).total_seconds() for due in found] == expected


@settings(deadline=None)
@given(minutes=st.integers(0, 60 * 24 * 60))
def test_cron_next_due_is_later_than_asked(minutes: int):
    after = NOW + timedelta(minutes=minutes, microseconds=1)
    due = next_due(Cron("*/7 3-5 * * 1-5", "Asia/Riyadh"), after)
    assert due > after
    assert next_due(Cron("*/7 3-5 * * 1-5", "Asia/Riyadh"), due - timedelta(microseconds=1)) == due
