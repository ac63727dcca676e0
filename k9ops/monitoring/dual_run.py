"""The dual run: what the ledger says of both paths, and whether the fallback is still needed.

Counted is each run that has ended and has a path, once, by the path and reason of its last attempt.
The sample unit's runs did nothing, so they are left out.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import DateTime, func, select, type_coerce

from k9ops.core.clock import read_now, utcnow
from k9ops.core.db import db
from k9ops.core.settings import current_settings
from k9ops.jobs.models import JobRun
from k9ops.jobs.states import Path, Reason, State
from k9ops.monitoring.queries import SAMPLE_OCCURRENCE

Key = TypeVar("Key")
Wider = TypeVar("Wider")
Rows = Iterable[Any]

ENDED = (State.SUCCEEDED, State.PARTIAL, State.FAILED, State.CANCELLED)
#: Reasons that somebody chose: such a run never tried Celery.
CHOSEN = (Reason.CELERY_OFF, Reason.REQUESTED)
#: Reasons that none may have: Celery took such a run, and did not end it.
LOST = (Reason.NOT_PICKED_UP, Reason.WORKER_LOST)
#: A judgement needs so many days and runs that tried Celery, and so large a share that ended on it.
DAYS_NEEDED, RUNS_NEEDED, PER_MILLE_NEEDED = 7, 50, 995

_READ_AT_ONCE = 5000
_MILLISECOND = timedelta(milliseconds=1)


class Verdict(StrEnum):
    """What the figures advise."""

    KEEP = "keep"
    SWITCH_OFF = "switch_off"
    TOO_FEW = "too_few"


class Group(NamedTuple):
    """What runs that are counted together have in common."""

    day: date
    job: str
    path: str
    reason: str | None

    @property
    def tried(self) -> bool:
        """Whether they tried Celery."""
        return self.reason not in CHOSEN

    @property
    def fell_back(self) -> bool:
        return self.tried and self.path == Path.IN_PROCESS


class Spread(NamedTuple):
    """The usual value and that of the slowest twentieth, in milliseconds; None without values."""

    p50: float | None
    p95: float | None


@dataclass(frozen=True)
class Figures:
    """How many runs, how many succeeded, how long they waited for a start, how long they ran."""

    runs: int
    succeeded: int
    wait: Spread
    duration: Spread

    @property
    def success(self) -> float | None:
        return self.succeeded / self.runs if self.runs else None


@dataclass
class _Tally:
    """Figures in the making."""

    runs: int = 0
    succeeded: int = 0
    waits: list[float] = field(default_factory=list)
    durations: list[float] = field(default_factory=list)

    def take(self, other: "_Tally") -> None:
        self.runs += other.runs
        self.succeeded += other.succeeded
        self.waits += other.waits
        self.durations += other.durations

    def figures(self) -> Figures:
        """The result; leaves the values sorted, so that what takes them sorts faster."""
        return Figures(self.runs, self.succeeded, _spread(self.waits), _spread(self.durations))


def _spread(values: list[float]) -> Spread:
    values.sort()
    return Spread(_percentile(values, 0.5), _percentile(values, 0.95))


def _percentile(ordered: list[float], share: float) -> float | None:
    """Between neighbours as SQL's `percentile_cont` does it."""
    if not ordered:
        return None
    place = (len(ordered) - 1) * share
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return round(ordered[below] + (ordered[above] - ordered[below]) * (place - below), 6)


@dataclass(frozen=True)
class Trial:
    """What the verdict looks at."""

    days: int
    runs: int
    on_celery: int
    not_picked_up: int
    worker_lost: int
    #: Runs and successes of each path, whether they tried Celery or not.
    celery: tuple[int, int]
    in_process: tuple[int, int]

    @property
    def fell_back(self) -> int:
        return self.runs - self.on_celery


class Check(StrEnum):
    """One thing that speaks for or against switching the fallback off."""

    DAYS = "days"
    RUNS = "runs"
    SHARE = "share"
    NOT_PICKED_UP = "not_picked_up"
    WORKER_LOST = "worker_lost"
    SUCCESS = "success"


#: What must hold before anything can be judged.
ENOUGH = (Check.DAYS, Check.RUNS)


@dataclass(frozen=True)
class Review:
    """The figures of a span of days, of all jobs or of one."""

    #: Every day of the span, oldest first.
    days: list[date]
    groups: Mapping[Group, Figures]
    by_path: Mapping[str, Figures]
    by_reason: Mapping[tuple[str, str | None], Figures]
    whole: Figures
    made_at: datetime

    @property
    def first(self) -> date:
        return self.days[0]

    @property
    def last(self) -> date:
        return self.days[-1]


def review(days: int, job: str = "", pace: Callable[[Rows], Rows] = iter) -> Review:
    """The figures of the last `days` days of the unit's calendar, today included."""
    today = read_now(db.session()).astimezone(current_settings().zone).date()
    return review_between(today - timedelta(days=days - 1), today, job, pace)


def is_short(days: int, most: int) -> bool:
    """Whether at most so many runs were queued in the last days: quick to count at once."""
    since = read_now(db.session()) - timedelta(days=days)
    some = select(JobRun.id).where(JobRun.queued_at >= since).limit(most + 1).subquery()
    return (db.session.scalar(select(func.count()).select_from(some)) or 0) <= most


def review_between(
    first: date, last: date, job: str = "", pace: Callable[[Rows], Rows] = iter
) -> Review:
    """The figures of these days and all between them; `pace` may slow the reading down."""
    zone = current_settings().zone
    calendar = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    starts = [_start(day, zone) for day in calendar]
    end = _start(last + timedelta(days=1), zone)
    tallies = _count(pace(_rows(starts[0], end, job)), calendar, _as_read(starts))
    groups = {group: tallies[group].figures() for group in sorted(tallies, key=_order)}
    by_reason = _merged(tallies, lambda group: (group.path, group.reason))
    by_path = _merged(by_reason, lambda key: key[0])
    whole = _merged(by_path, lambda _path: "")
    return Review(
        days=calendar,
        groups=groups,
        by_path={str(path): by_path[path].figures() for path in Path},
        by_reason={key: by_reason[key].figures() for key in sorted(by_reason, key=str)},
        whole=whole[""].figures(),
        made_at=utcnow(),
    )


def _start(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _as_read(instants: list[datetime]) -> list[datetime]:
    """The instants as `_rows` gives them."""
    bare = current_settings().is_sqlite
    return [instant.replace(tzinfo=None) for instant in instants] if bare else instants


def _rows(start: datetime, end: datetime, job: str) -> Iterable[Any]:
    """The runs that count, a few thousand at a time; instants as the driver reads them.

    On SQLite they are without their zone, UTC: giving it to each would take longer than the rest.
    """
    query = select(
        JobRun.job, JobRun.path, JobRun.reason, JobRun.state,
        type_coerce(JobRun.queued_at, DateTime), type_coerce(JobRun.started_at, DateTime),
        JobRun.duration_ms,
    ).where(
        JobRun.queued_at >= start,
        JobRun.queued_at < end,
        JobRun.path.is_not(None),
        JobRun.state.in_(ENDED),
        JobRun.occurrence.not_like(f"{SAMPLE_OCCURRENCE}%"),
    )  # fmt: skip
    if job:
        query = query.where(JobRun.job == job)
    at_once = {"yield_per": _READ_AT_ONCE}
    return db.session.connection().execute(query, execution_options=at_once)


def _count(
    rows: Iterable[Any], calendar: list[date], starts: list[datetime]
) -> dict[Group, _Tally]:
    tallies: defaultdict[Group, _Tally] = defaultdict(_Tally)
    for job, path, reason, state, queued_at, started_at, duration_ms in rows:
        day = calendar[bisect_right(starts, queued_at) - 1]
        tally = tallies[Group(day, job, path, reason)]
        tally.runs += 1
        tally.succeeded += state == State.SUCCEEDED
        if started_at is not None:
            tally.waits.append((started_at - queued_at) / _MILLISECOND)
        if duration_ms is not None:
            tally.durations.append(duration_ms)
    return tallies


def _merged(
    tallies: Mapping[Key, _Tally], widen: Callable[[Key], Wider]
) -> defaultdict[Wider, _Tally]:
    merged: defaultdict[Wider, _Tally] = defaultdict(_Tally)
    for key, tally in tallies.items():
        merged[widen(key)].take(tally)
    return merged


def _order(group: Group) -> tuple[date, str, str, str]:
    return group.day, group.job, group.path, group.reason or ""


def trial(groups: Mapping[Group, Figures]) -> Trial:
    """What these groups say of Celery."""
    tried = {group: figures.runs for group, figures in groups.items() if group.tried}

    def because(reason: Reason) -> int:
        return sum(runs for group, runs in tried.items() if group.reason == reason)

    return Trial(
        days=len({group.day for group in tried}),
        runs=sum(tried.values()),
        on_celery=sum(runs for group, runs in tried.items() if group.path == Path.CELERY),
        not_picked_up=because(Reason.NOT_PICKED_UP),
        worker_lost=because(Reason.WORKER_LOST),
        celery=_success(groups, Path.CELERY),
        in_process=_success(groups, Path.IN_PROCESS),
    )


def _success(groups: Mapping[Group, Figures], path: Path) -> tuple[int, int]:
    found = [figures for group, figures in groups.items() if group.path == path]
    return sum(figures.runs for figures in found), sum(figures.succeeded for figures in found)


@dataclass(frozen=True)
class JobLine:
    """One job: how much of it Celery did, why not all of it, and what that advises."""

    name: str
    runs: int
    celery: int
    fell_back: int
    top_reason: str | None
    verdict: Verdict


def by_job(groups: Mapping[Group, Figures]) -> list[JobLine]:
    """Every job, those that fell back most first."""
    jobs: defaultdict[str, dict[Group, Figures]] = defaultdict(dict)
    for group, figures in groups.items():
        jobs[group.job][group] = figures
    lines = [_job_line(name, mine) for name, mine in jobs.items()]
    return sorted(lines, key=lambda line: (-line.fell_back, -line.runs, line.name))


def _job_line(name: str, groups: Mapping[Group, Figures]) -> JobLine:
    reasons: Counter[str] = Counter()
    for group, figures in groups.items():
        if group.reason:
            reasons[group.reason] += figures.runs
    seen = trial(groups)
    return JobLine(
        name=name,
        runs=sum(figures.runs for figures in groups.values()),
        celery=seen.celery[0],
        fell_back=seen.fell_back,
        top_reason=max(reasons, key=lambda reason: (reasons[reason], reason), default=None),
        verdict=verdict(checks(seen)),
    )


def checks(seen: Trial) -> dict[Check, bool]:
    """Each check that can be made, and whether it holds."""
    made = {Check.DAYS: seen.days >= DAYS_NEEDED, Check.RUNS: seen.runs >= RUNS_NEEDED}
    if seen.runs:
        made[Check.SHARE] = seen.on_celery * 1000 >= seen.runs * PER_MILLE_NEEDED
        made[Check.NOT_PICKED_UP] = seen.not_picked_up == 0
        made[Check.WORKER_LOST] = seen.worker_lost == 0
    if seen.celery[0]:
        (runs, good), (others, others_good) = seen.celery, seen.in_process
        made[Check.SUCCESS] = good * others >= others_good * runs
    return made


def verdict(made: Mapping[Check, bool]) -> Verdict:
    """What the checks come to."""
    if not all(made[check] for check in ENOUGH):
        return Verdict.TOO_FEW
    return Verdict.SWITCH_OFF if all(made.values()) else Verdict.KEEP


def grounds(made: Mapping[Check, bool]) -> list[Check]:
    """The checks that decided: those that failed, or all when none did."""
    decisive = verdict(made)
    failed = [check for check, holds in made.items() if not holds]
    if decisive == Verdict.TOO_FEW:
        return [check for check in failed if check in ENOUGH]
    return failed or list(made)
