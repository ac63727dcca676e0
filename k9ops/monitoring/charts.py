"""Drawings of runs as numbers for SVG. Time runs with the reading direction: newest at its end."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from k9ops.core.clock import utcnow
from k9ops.core.i18n import direction
from k9ops.jobs.models import JobAttempt
from k9ops.jobs.states import Outcome, Path
from k9ops.monitoring.words import PATHS, STATES
from k9ops.web import formats

BAR, PITCH, HEIGHT, LEAST, BARS = 4.4, 6.2, 30.0, 4.0, 30
TICKS, DAY = 5, 86400
#: What lies between two ticks of an axis, in seconds: the parts of a clock that people count in.
_PARTS = (
    *(digit * 10.0**power for power in (-3, -2, -1) for digit in (1, 2, 5)),
    *(part * unit for unit in (1, 60) for part in (1, 2, 5, 10, 15, 30)),
    *(part * 3600 for part in (1, 2, 3, 6, 12)),
    *(DAY * 2**power for power in range(12)),
)
#: So near to an end of the axis, in percent, a tick's text hangs inwards.
EDGE = 6


@dataclass(frozen=True)
class Bar:
    """One run of a sparkline; `height` 0 where only a sign stands."""

    run: Any
    family: str
    x: float
    height: float
    title: str

    @property
    def y(self) -> float:
        return round(HEIGHT - self.height, 1)

    @property
    def middle(self) -> float:
        return round(self.x + BAR / 2, 1)


def sparkline(runs: Sequence[Any]) -> list[Bar]:
    """Bars of the runs (given newest first), the oldest at the side where reading begins.

    Height is the duration against the job's own 95th percentile, by square root.
    """
    rtl = direction() == "rtl"
    times = sorted(run.duration_ms for run in runs if run.duration_ms)
    scale = times[min(len(times) - 1, math.ceil(len(times) * 0.95) - 1)] if times else 1.0
    words = {state: str(STATES[state].text) for state in {run.state for run in runs[:BARS]}}
    return [
        _bar(run, BARS * PITCH - place * PITCH - BAR if rtl else place * PITCH, scale, words)
        for place, run in enumerate(reversed(runs[:BARS]))
    ]


def _bar(run: Any, x: float, scale: float, words: Mapping[str, str]) -> Bar:
    height = 0.0
    if run.state not in ("missed", "skipped"):
        share = min((run.duration_ms or 0) / scale, 1.0)
        height = LEAST + (HEIGHT - LEAST) * math.sqrt(share)
    started = run.started_at or run.queued_at
    near = formats.local(started).strftime("%Y-%m-%d %H:%M")
    took = formats.milliseconds(run.duration_ms) if run.duration_ms is not None else ""
    title = " · ".join(filter(None, (words[run.state], near, took)))
    return Bar(run, STATES[run.state].family, round(x, 1), round(height, 1), title)


@dataclass(frozen=True)
class Lane:
    """One attempt on the common time axis, in percent of its width from the left."""

    attempt: JobAttempt
    x: float
    width: float
    silence_from: float | None
    silence_to: float | None


@dataclass(frozen=True)
class Tick:
    """A moment of the axis, in percent of its width from the left, and where its text hangs."""

    x: float
    text: str
    anchor: str


@dataclass(frozen=True)
class Lanes:
    """All attempts, and the moments along their axis in order of time."""

    lanes: list[Lane]
    ticks: list[Tick]


def lanes(attempts: Sequence[JobAttempt]) -> Lanes | None:
    """The attempts drawn against time; nothing without attempts."""
    if not attempts:
        return None
    now = utcnow()
    first = min(attempt.started_at for attempt in attempts)
    last = max(attempt.finished_at or now for attempt in attempts)
    span = max((last - first).total_seconds(), 0.001)

    def share(instant: datetime) -> float:
        inside = min(max((instant - first).total_seconds() / span, 0), 1)
        return round(inside * 100, 2)

    return Lanes([_lane(attempt, share, now) for attempt in attempts], _ticks(first, span, share))


def _ticks(first: datetime, span: float, share: Callable[[datetime], float]) -> list[Tick]:
    """Round moments of the unit's clock within `span` seconds after `first`."""
    part = next(one for one in (*_PARTS, span) if one >= span / TICKS)
    here = formats.local(first)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
    passed = (here - midnight).total_seconds()
    to_go = math.ceil(round(passed / part, 6)) * part - passed
    count = int((span - to_go) / part) + 1
    moments = [first + timedelta(seconds=to_go + place * part) for place in range(count)]
    return [_tick(moment, share(moment), part) for moment in moments]


def _tick(moment: datetime, share: float, part: float) -> Tick:
    x = share if direction() == "ltr" else round(100 - share, 2)
    anchor = "start" if x < EDGE else "end" if x > 100 - EDGE else "middle"
    text = formats.clock(moment, seconds=True, fraction=part < 1)
    return Tick(x, f"{formats.local(moment):%Y-%m-%d}" if part >= DAY else text, anchor)


def _lane(attempt: JobAttempt, share: Any, now: datetime) -> Lane:
    end = attempt.finished_at or now
    lost = attempt.outcome == Outcome.LOST
    begin, stop = share(attempt.started_at), share(attempt.heartbeat_at if lost else end)
    width = max(stop - begin, 0.6)
    quiet = (share(attempt.heartbeat_at), share(end)) if lost else (None, None)
    if direction() == "ltr":
        return Lane(attempt, begin, width, *quiet)
    mirrored = [None if x is None else 100 - x for x in quiet]
    return Lane(attempt, 100 - begin - width, width, mirrored[0], mirrored[1])


@dataclass(frozen=True)
class Stretch:
    """The runs of one path within an hour of the strip, in percent of its width from the left."""

    path: str
    x: float
    width: float
    title: str


def strip(hours: Mapping[tuple[int, str], int], length: int = 24) -> list[Stretch]:
    """The paths of the last hours in order of time; an hour without runs stays empty.

    `hours` gives how many runs by hours ago and path.
    """
    drawn = []
    pitch = 100 / length
    for ago in range(length):
        counts = {path: hours.get((ago, path), 0) for path in Path}
        begin, total = (length - 1 - ago) * pitch, sum(counts.values())
        for path, count in counts.items():
            width = pitch * count / total if total else 0
            if width:
                x = begin if direction() == "ltr" else 100 - begin - width
                title = _hour_title(ago, path, count)
                drawn.append(Stretch(path, round(x, 3), round(width, 3), title))
            begin += width
    return drawn


def _hour_title(ago: int, path: str, count: int) -> str:
    since = formats.clock(utcnow() - timedelta(hours=ago + 1))
    return f"{since} · {PATHS[path]} {formats.number(count)}"
