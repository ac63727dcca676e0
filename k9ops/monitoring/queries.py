"""Reading the ledger for the pages: the board of jobs, the list of runs, the state of the house."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, cached_property
from statistics import median
from typing import Any

from sqlalchemy import Integer, Row, bindparam, cast, func, select, union_all

from k9ops.core.clock import db_now, ms_since, read_now
from k9ops.core.db import db
from k9ops.core.once import once_a_page
from k9ops.core.paging import Order
from k9ops.core.prepared_statements import KeptQuery
from k9ops.core.settings import current_settings
from k9ops.core.text import clean
from k9ops.jobs.models import JobRun, PeriodicTask
from k9ops.jobs.queries import NEWEST, RunFilter, count_matching, get_run, list_runs
from k9ops.jobs.registry import catalogue
from k9ops.jobs.states import ACTIVE, ENDED_BY_RESTORE, Path, State

#: How many runs of a job the board looks back on.
LOOK_BACK = 30
#: Matching runs are counted no further than this.
COUNT_LIMIT = 1000
_READ_AT_ONCE = 500
#: A run that waits longer than this makes its job late.
PATIENCE = timedelta(seconds=30)
_FAILING = "failing jobs"
#: The order of the board.
HEALTH_ORDER = ("failing", "late", "running", "on_time", "never_ran", "paused")
JUDGED = (State.SUCCEEDED, State.PARTIAL, State.FAILED)

_RUN_COLUMNS = (
    JobRun.id, JobRun.job, JobRun.state, JobRun.path, JobRun.reason, JobRun.late,
    JobRun.due_at, JobRun.queued_at, JobRun.available_at, JobRun.started_at,
    JobRun.finished_at, JobRun.duration_ms, JobRun.error_code,
)  # fmt: skip


@dataclass(frozen=True)
class BoardRow:
    """One job as the board shows it; `runs` are its last ones, newest first."""

    name: str
    title: Any
    task: PeriodicTask | None
    other_tasks: Sequence[PeriodicTask]
    runs: Sequence[Row[Any]]
    health: str
    next_due: datetime | None

    @property
    def last(self) -> Row[Any] | None:
        return self.runs[0] if self.runs else None

    @cached_property
    def judged(self) -> list[Row[Any]]:
        """The runs that say something about success."""
        return [run for run in self.runs if _is_judged(run)]

    @property
    def success(self) -> float | None:
        judged = self.judged
        good = sum(run.state == State.SUCCEEDED for run in judged)
        return good / len(judged) if judged else None

    @cached_property
    def seconds(self) -> list[float]:
        return [run.duration_ms / 1000 for run in self.judged if run.duration_ms is not None]

    @property
    def usual_seconds(self) -> float | None:
        return median(self.seconds) if self.seconds else None

    @property
    def worst_seconds(self) -> float | None:
        return max(self.seconds, default=None)

    @property
    def takes_arguments(self) -> bool:
        return bool(catalogue()[self.name].arguments_model.model_fields)

    @property
    def needs_arguments(self) -> bool:
        """Whether there is one without which it cannot run."""
        fields = catalogue()[self.name].arguments_model.model_fields.values()
        return any(one.is_required() for one in fields)

    @property
    def is_running(self) -> bool:
        return self.last is not None and self.last.state == State.RUNNING

    @property
    def order(self) -> tuple[int, str]:
        health = self.health
        if health == "on_time" and self.is_running:
            health = "running"
        return HEALTH_ORDER.index(health), str(self.title)


@dataclass(frozen=True)
class Board:
    """All jobs, those in trouble first, and how many of each health."""

    rows: Sequence[BoardRow]
    counts: dict[str, int] = field(default_factory=dict)

    def of(self, health: str) -> list[BoardRow]:
        """The rows of that health; all for an empty word."""
        return [row for row in self.rows if not health or row.health == health]


def board() -> Board:
    """Every job of the catalogue with its task and its last runs: three statements."""
    tasks: dict[str, list[PeriodicTask]] = defaultdict(list)
    for task in db.session.scalars(select(PeriodicTask).order_by(PeriodicTask.id)):
        tasks[task.job].append(task)
    runs = _last_runs(list(catalogue()))
    now = read_now(db.session())
    rows = sorted(
        (_board_row(name, tasks[name], runs[name], now) for name in catalogue()),
        key=lambda row: row.order,
    )
    counts: dict[str, int] = defaultdict(int)
    for row in rows:
        counts[row.health] += 1
    once_a_page(_FAILING, lambda: counts["failing"])
    return Board(rows, counts)


def _last_runs(names: list[str]) -> dict[str, list[Row[Any]]]:
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    if not names:
        return found
    query = _newest_of_each(tuple(names), _RUN_COLUMNS, LOOK_BACK)
    for run in db.session.execute(query):
        found[run.job].append(run)
    for runs in found.values():
        runs.sort(key=lambda run: str(run.id), reverse=True)
    return found


def _board_row(
    name: str, tasks: list[PeriodicTask], runs: list[Row[Any]], now: datetime
) -> BoardRow:
    main = next((task for task in tasks if task.name == name), tasks[0] if tasks else None)
    dues = [task.next_due_at for task in tasks if task.enabled and task.next_due_at]
    return BoardRow(
        name=name,
        title=catalogue()[name].title,
        task=main,
        other_tasks=[task for task in tasks if task is not main],
        runs=runs,
        health=_health(tasks, runs, now),
        next_due=min(dues, default=None),
    )


def _health(tasks: list[PeriodicTask], runs: list[Row[Any]], now: datetime) -> str:
    if tasks and not any(task.enabled for task in tasks):
        return "paused"
    ended = next((run for run in runs if _is_judged(run)), None)
    if ended is not None and ended.state == State.FAILED:
        return "failing"
    if _is_late(tasks, runs, now):
        return "late"
    return "on_time" if runs else "never_ran"


def _is_judged(run: Row[Any]) -> bool:
    return run.state in JUDGED and run.error_code != ENDED_BY_RESTORE


def _is_late(tasks: list[PeriodicTask], runs: list[Row[Any]], now: datetime) -> bool:
    limit = now - timedelta(seconds=current_settings().jobs_late_seconds)
    overdue = any(t.enabled and t.next_due_at and t.next_due_at < limit for t in tasks)
    waiting = any(r.state == State.QUEUED and r.available_at < now - PATIENCE for r in runs)
    return overdue or waiting or bool(runs and runs[0].state == State.MISSED)


def failing_jobs() -> int:
    """How many jobs the board shows as failing, found without it where it is not shown."""
    return once_a_page(_FAILING, _count_failing)


def _count_failing() -> int:
    """One statement while all is well."""
    names = tuple(catalogue())
    if not names:
        return 0
    failed = {job for job, state in _newest(names).all(db.session()) if state == State.FAILED}
    return len(failed - _paused(failed)) if failed else 0


def _paused(jobs: Iterable[str]) -> set[str]:
    """Those of the jobs that nothing starts any more, though something did."""
    query = select(PeriodicTask.job).where(PeriodicTask.job.in_(list(jobs)))
    enabled = query.where(PeriodicTask.enabled)
    return set(db.session.scalars(query)) - set(db.session.scalars(enabled))


@cache
def _newest(names: tuple[str, ...]) -> KeptQuery:
    """Name and state of the last run of each job that speaks of its health."""
    columns = JobRun.job, JobRun.state
    return KeptQuery(lambda: _newest_of_each(names, columns, 1, JUDGED))


@cache
def _newest_of_each(
    names: tuple[str, ...], columns: tuple[Any, ...], number: int, states: tuple[State, ...] = ()
) -> Any:
    """The last runs of each job: a short index range per job, no walk through the whole ledger.

    Kept and prepared, since building and planning it cost more than the database's answer.
    """

    def of(name: str) -> Any:
        runs = select(*columns).where(JobRun.job == name)
        if states:
            speaks = JobRun.error_code.is_distinct_from(ENDED_BY_RESTORE)
            # Written out, since a kept query has no lists for parameters.
            fixed: Any = bindparam("states", states, expanding=True, literal_execute=True)
            runs = runs.where(JobRun.state.in_(fixed), speaks)
        return select(runs.order_by(JobRun.id.desc()).limit(number).subquery())

    return union_all(*map(of, names)).execution_options(prepare=True)


def every_run(wanted: RunFilter, order: Order = NEWEST) -> Iterator[JobRun]:
    """All matching runs in that order, read some hundreds at a time."""
    before: str | None = None
    while True:
        page = list_runs(wanted, limit=_READ_AT_ONCE, before=before, order=order)
        yield from page.items
        if page.older is None:
            return
        before = page.older


def count_runs(wanted: RunFilter, newer_than: str = "") -> int:
    """How many runs match, counted up to COUNT_LIMIT + 1.

    Raises:
        NotFound: `newer_than` is no run's id.
    """
    after = get_run(newer_than).id if newer_than else None
    return count_matching(wanted, COUNT_LIMIT + 1, after)


def gaps_of(runs: Sequence[JobRun]) -> dict[str, Any]:
    """By run, the results of those that stand for missed due times; a list does not load them."""
    missed = [run.id for run in runs if run.state == State.MISSED]
    if not missed:
        return {}
    query = select(JobRun.id, JobRun.result).where(JobRun.id.in_(missed))
    return dict(db.session.execute(query).all())


def runs_by_id(ids: Iterable[str]) -> dict[str, JobRun]:
    """The runs of these ids."""
    wanted = list(ids)
    if not wanted:
        return {}
    return {run.id: run for run in db.session.scalars(select(JobRun).where(JobRun.id.in_(wanted)))}


#: How the occurrences of the sample unit's runs begin.
SAMPLE_OCCURRENCE = "sample:"


def last_success(job: str) -> JobRun | None:
    """The newest run of the job that succeeded; the sample unit's did nothing and do not count."""
    query = select(JobRun).where(
        JobRun.job == job,
        JobRun.state == State.SUCCEEDED,
        JobRun.occurrence.not_like(f"{SAMPLE_OCCURRENCE}%"),
    )
    return db.session.scalars(query.order_by(JobRun.id.desc()).limit(1)).one_or_none()


#: By hours ago and path, how many runs.
Hours = dict[tuple[int, str], int]


def paths_by_hour(since: datetime) -> Hours:
    """How many runs were queued since then; those without a path are left out."""
    # Half an hour less, so that rounding gives the whole hours that have passed.
    hours = cast(func.round(ms_since(JobRun.queued_at) / 3_600_000 - 0.5), Integer)
    query = (
        select(hours, JobRun.path, func.count())
        .where(JobRun.queued_at >= since, JobRun.path.in_(tuple(Path)))
        .group_by(hours, JobRun.path)
    )
    return {(max(ago, 0), str(path)): count for ago, path, count in db.session.execute(query)}


def summed_paths(hours: Hours) -> dict[str, int]:
    """How many runs by path, in the order of the paths."""
    counts = {path: sum(n for (_, of), n in hours.items() if of == path) for path in Path}
    return {str(path): count for path, count in counts.items() if count}


def overdue_seconds() -> float:
    """How long the most overdue occurrence has been waiting for somebody to tick."""
    ((first, now),) = _FIRST_DUE.all(db.session())
    return max((now - first).total_seconds(), 0) if first else 0


_FIRST_DUE = KeptQuery(
    lambda: select(func.min(PeriodicTask.next_due_at), db_now().label("now")).where(
        PeriodicTask.enabled
    )
)


def active_run_of(job: str) -> str | None:
    """Id of the job's newest run that has not ended."""
    query = select(JobRun.id).where(JobRun.job == job, JobRun.state.in_(ACTIVE))
    return db.session.scalars(query.order_by(JobRun.id.desc()).limit(1)).one_or_none()


def task_named(name: str) -> PeriodicTask | None:
    """The periodic task of this name, as it is now."""
    query = select(PeriodicTask).where(PeriodicTask.name == clean(name))
    return db.session.scalars(query.execution_options(populate_existing=True)).one_or_none()
