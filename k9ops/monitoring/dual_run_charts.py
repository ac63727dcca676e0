"""Drawings of the dual run as numbers for SVG; time runs with the reading direction."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from babel.dates import format_date

from k9ops.core.i18n import direction
from k9ops.jobs.states import Path
from k9ops.monitoring.dual_run import Review
from k9ops.monitoring.dual_run_words import share
from k9ops.web import formats

#: Heights in pixels of the two panels; over the lower one's bars stands a line of figures.
SHARES, COUNTS, FIGURES = 100.0, 44.0, 18.0
GAP, LEAST = 1.5, 2.0
#: Of its day's width a bar fills so much.
FILL = 0.68
#: A figure over a bar is about this wide; panels are about so wide on a screen and on a phone.
LABEL, WIDE, NARROW = 30, 900, 280


@dataclass(frozen=True)
class DayBar:
    """One day: x and width in percent of the panel, heights in pixels."""

    day: str
    x: float
    width: float
    celery: int
    in_process: int
    celery_height: float
    in_process_height: float
    count_height: float

    @property
    def runs(self) -> int:
        return self.celery + self.in_process

    @property
    def share(self) -> str:
        return share(self.celery, self.runs)

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 3)


@dataclass(frozen=True)
class DayChart:
    """All days, oldest first, and the words under them at equal distances."""

    bars: list[DayBar]
    ticks: list[str]
    #: Places of the bars whose figure finds room on a screen, and on a phone.
    labelled: set[int]
    labelled_narrow: set[int]


def day_chart(found: Review) -> DayChart:
    """Each path's share of a day's runs, over the number that ran in process."""
    days = found.days
    counts = _counts(found)
    here = [counts[day, Path.IN_PROCESS] for day in days]
    wide, narrow = _with_room(here, WIDE), _with_room(here, NARROW)
    bars = [
        _bar(day, place, len(days), (counts[day, Path.CELERY], here[place]), max(here))
        for place, day in enumerate(days)
    ]
    return DayChart(bars, _ticks(days), wide, narrow)


def _counts(found: Review) -> Counter[tuple[date, str]]:
    counts: Counter[tuple[date, str]] = Counter()
    for group, figures in found.groups.items():
        counts[group.day, group.path] += figures.runs
    return counts


def _bar(day: date, place: int, days: int, runs: tuple[int, int], most: int) -> DayBar:
    celery, here = runs
    pitch = 100 / days
    x = (place + (1 - FILL) / 2) * pitch
    solid = SHARES * celery / (celery + here) if celery else 0.0
    return DayBar(
        day=day_name(day),
        x=round(x if direction() == "ltr" else 100 - x - FILL * pitch, 3),
        width=round(FILL * pitch, 3),
        celery=celery,
        in_process=here,
        celery_height=round(max(solid - (GAP if here else 0), 0), 1),
        in_process_height=round(max(SHARES - solid, LEAST) if here else 0, 1),
        count_height=round(max(COUNTS * here / most, LEAST) if here else 0, 1),
    )


def _with_room(counts: Sequence[int], width: int) -> set[int]:
    """Places whose figures do not touch on a panel of this width; the largest are served first."""
    apart = math.ceil(LABEL * len(counts) / width)
    taken: set[int] = set()
    for place in sorted(range(len(counts)), key=lambda place: -counts[place]):
        if counts[place] and all(abs(place - other) >= apart for other in taken):
            taken.add(place)
    return taken


def _ticks(days: Sequence[date]) -> list[str]:
    """The first day with its month, then numbers; a new month is named again."""
    step = max(len(days) // 6, 1)
    shown = list(days[::step])
    befores = [None, *shown]
    return [
        day_name(day, "d MMM") if before is None or before.month != day.month else str(day.day)
        for day, before in zip(shown, befores, strict=False)
    ]


def day_name(day: date, pattern: str = "d MMMM") -> str:
    """17 November."""
    return format_date(day, pattern, locale=formats.locale())


@dataclass(frozen=True)
class ReasonBar:
    """Runs in process for one reason; width in percent of the longest bar."""

    reason: str
    runs: int
    width: float


def reason_bars(found: Review) -> list[ReasonBar]:
    """Why runs were executed in process, the most frequent reason first."""
    runs = {
        reason: figures.runs
        for (path, reason), figures in found.by_reason.items()
        if path == Path.IN_PROCESS and reason
    }
    most = max(runs.values(), default=1)
    ordered = sorted(runs, key=lambda reason: (-runs[reason], reason))
    return [ReasonBar(name, runs[name], round(100 * runs[name] / most, 2)) for name in ordered]
