"""Drawings: time runs with the reading direction."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from k9ops.jobs.models import JobAttempt
from k9ops.monitoring import charts

NOON = datetime(2026, 11, 17, 9, tzinfo=UTC)


def run(**values):
    fixed = {"state": "succeeded", "duration_ms": 100.0, "started_at": NOON, "queued_at": NOON}
    return SimpleNamespace(**{**fixed, **values})


def attempt(start, end, **values):
    times = {"started_at": NOON + timedelta(seconds=start), "heartbeat_at": NOON}
    ended = NOON + timedelta(seconds=end)
    return JobAttempt(finished_at=ended, **{**times, **values})


@pytest.mark.parametrize(("language", "oldest_first"), [("en", True), ("ar", False)])
def test_sparkline_begins_where_reading_begins(reading, language, oldest_first):
    newest_first = [run(duration_ms=float(n)) for n in range(40, 0, -1)]
    with reading(language):
        places = [bar.x for bar in charts.sparkline(newest_first)]
    assert len(places) == charts.BARS
    assert (places == sorted(places)) is oldest_first


def test_sparkline_keeps_every_bar_inside_when_one_run_was_very_slow(reading):
    runs = [run(duration_ms=1e9), *[run(duration_ms=10.0)] * 29]
    with reading("en"):
        heights = [bar.height for bar in charts.sparkline(runs)]
    assert max(heights) <= charts.HEIGHT
    assert min(heights) >= charts.LEAST


def test_sparkline_draws_only_a_sign_when_nothing_ran(reading):
    with reading("en"):
        bars = charts.sparkline([run(state="missed", duration_ms=None, started_at=None)])
    assert bars[0].height == 0


def test_lanes_mirror_when_reading_from_the_right(reading):
    attempts = [attempt(0, 10), attempt(10, 40)]
    with reading("en"):
        left = charts.lanes(attempts)
    with reading("ar"):
        right = charts.lanes(attempts)
    assert [lane.x for lane in left.lanes] == [0, 25]
    assert [lane.x for lane in right.lanes] == [75, 0]
    assert [(tick.x, tick.text) for tick in left.ticks] == [
        (0, "12:00:00"), (25, "12:00:10"), (50, "12:00:20"), (75, "12:00:30"), (100, "12:00:40"),
    ]  # fmt: skip
    assert [tick.x for tick in right.ticks] == [100, 75, 50, 25, 0]


@pytest.mark.parametrize(
    ("start", "end", "ticks"),
    [
        (0.5, 127, ["12:00:30", "12:01:00", "12:01:30", "12:02:00"]),
        (1.0004, 1.0054, [f"12:00:01.00{n}" for n in range(1, 6)]),
        (0, 0, ["12:00:00.000", "12:00:00.001"]),
        (0, 40_000, ["12:00:00", "15:00:00", "18:00:00", "21:00:00"]),
        (0, 900_000, ["2026-11-21", "2026-11-25"]),
    ],
)
def test_ticks_are_round_moments_of_the_units_clock(reading, start, end, ticks):
    with reading("en"):
        drawn = charts.lanes([attempt(start, end)])
    assert [tick.text for tick in drawn.ticks] == ticks


def test_lanes_show_the_silence_when_an_attempt_was_lost(reading):
    lost = attempt(0, 30, outcome="lost", heartbeat_at=NOON + timedelta(seconds=15))
    with reading("en"):
        lane = charts.lanes([lost]).lanes[0]
    assert (lane.width, lane.silence_from, lane.silence_to) == (50, 50, 100)


def test_lanes_are_not_drawn_when_nobody_took_the_run():
    assert charts.lanes([]) is None
