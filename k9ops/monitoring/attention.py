"""What needs attention: the worst first, each with its cause, its age and one way out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import takewhile
from typing import Any

from k9ops.core.health import DEGRADED, registered_checks
from k9ops.core.i18n import direction, ngettext
from k9ops.core.i18n import gettext as _
from k9ops.jobs.models import JobRun
from k9ops.jobs.states import State
from k9ops.monitoring import queries, words
from k9ops.projects.scope import Viewer
from k9ops.schedules import dashboard
from k9ops.schedules import words as duty
from k9ops.schedules.conflicts import Faults, faults_of_day
from k9ops.schedules.models import DayState
from k9ops.web import formats
from k9ops.web.formats import isolated, named
from k9ops.web.security import may

#: More are only counted.
MOST_SHOWN = 7
#: So many names are told in one line.
_NAMED = 3


@dataclass(frozen=True)
class Matter:
    """One thing that needs somebody; `since` is its age, where it has one."""

    family: str
    icon: str
    title: str
    cause: str
    url: str
    verb: str
    since: datetime | None = None


def matters(
    viewer: Viewer,
    board: queries.Board | None,
    of_duty: dashboard.Duty,
    today: date,
    now: datetime,
) -> list[Matter]:
    """All of them, the worst first; of jobs only for whoever may see them (`board`)."""
    found: list[Matter] = []
    if board is not None:
        found += _of_backups(now)
        found += _of_jobs(board)
    if viewer.plans:
        found += _of_conflicts(of_duty.conflicts)
        found += _of_duty(of_duty, today + timedelta(days=1))
    order = ("bad", "miss", "part", "off")
    return sorted(found, key=lambda matter: order.index(matter.family))


def _of_backups(now: datetime) -> Iterator[Matter]:
    check: Callable[[], Any] | None = registered_checks().get("last_backup")
    known = check() if check and may("backups.view") else None
    if known is None or known.status != DEGRADED:
        return
    title, cause = _("There is no good backup"), _("Nothing could be restored after a loss.")
    since = None
    if known.age_seconds is not None:
        title = _("The last good backup is too old")
        cause = _("What came after it would be lost.")
        since = now - timedelta(seconds=known.age_seconds)
    yield Matter("bad", "database-backup", title, cause, "/backups", _("Open backups"), since)


def _of_jobs(board: queries.Board) -> Iterator[Matter]:
    judged = {row.name: row.judged[0] for row in board.rows if row.judged}
    troubled = {
        name: run.id for name, run in judged.items() if run.state in (State.FAILED, State.PARTIAL)
    }
    runs = queries.runs_by_id(troubled.values())
    for row in board.rows:
        run = runs.get(troubled.get(row.name, ""))
        if row.health == "late":
            yield _late(row)
        elif row.health != "paused" and run is not None:
            yield _failed(row, run)


def _failed(row: queries.BoardRow, run: JobRun) -> Matter:
    job = isolated(row.title)
    if run.state == State.PARTIAL:
        title, family = _("%(job)s succeeded in part only", job=job), "part"
    else:
        times = len(list(takewhile(lambda one: one.state == State.FAILED, row.judged)))
        title = ngettext("%(job)s failed", "%(job)s failed %(num)s times in a row", times, job=job)
        family = "bad"
    icon = words.STATES[run.state].icon
    url, cause = f"/runs/{run.id}", words.summary(run)
    return Matter(family, icon, title, cause, url, _("Open the run"), run.finished_at)


def _late(row: queries.BoardRow) -> Matter:
    last, job = row.last, isolated(row.title)
    if last is not None and last.state == State.MISSED:
        title, family, icon = _("%(job)s missed its time", job=job), "miss", "calendar-x-2"
        cause, since = _("Nothing ran while the application stood still."), last.due_at
    elif last is not None and last.state == State.QUEUED:
        title, family, icon = _("%(job)s waits", job=job), "part", "hourglass"
        cause, since = _("Nobody has taken its run yet."), last.available_at
    else:
        title, family, icon = _("%(job)s is late", job=job), "part", "clock-alert"
        cause, since = _("It is due, and nobody has started it."), row.next_due
    url = f"/runs/{last.id}" if last is not None and since is not row.next_due else "/jobs"
    verb = _("Open the run") if url != "/jobs" else _("Open the job")
    return Matter(family, icon, title, cause, url, verb, since)


def _of_conflicts(rows: Sequence[Any]) -> Iterator[Matter]:
    if not rows:
        return
    first = rows[0]
    title = ngettext(
        "One duty may not stand as it is planned",
        "%(num)s duties may not stand as they are planned",
        len(rows),
    )
    if len(rows) == 1:
        faults = faults_of_day(first.day_id).get(first.id, Faults())
        if faults.handler:
            title = duty.conflict(faults.handler, _named(first.handler, first.handler_en))
        elif faults.dog:
            title = duty.conflict(faults.dog, _named(first.dog, first.dog_en))
    cause = _("%(where)s, %(when)s", where=_listed(rows), when=formats.plain(first.starts_at))
    url = f"/schedules/{first.day_id}"
    yield Matter("bad", "triangle-alert", title, cause, url, _("Resolve it"))


def _of_duty(known: dashboard.Duty, tomorrow: date) -> Iterator[Matter]:
    days = known.unmarked
    open_, locked = (
        [day for day in days if day.state == state] for state in (DayState.OPEN, DayState.LOCKED)
    )
    if open_:
        duties = sum(day.duties for day in open_)
        title = ngettext(
            "Nobody noted who came to one duty that is over",
            "Nobody noted who came to %(num)s duties that are over",
            duties,
        )
        yield _of_days("clock-alert", title, open_, _("Note who came"))
    if missing := known.not_planned:
        title = ngettext(
            "One project has no duty planned for tomorrow",
            "%(num)s projects have no duty planned for tomorrow",
            len(missing),
        )
        url = f"/schedules?day={tomorrow.isoformat()}&state=not_planned"
        yield Matter("part", "circle-dashed", title, _listed(missing), url, _("Plan it"))
    if locked:
        title = ngettext(
            "One day was locked with duties that nobody marked",
            "%(num)s days were locked with duties that nobody marked",
            len(locked),
        )
        yield _of_days("lock", title, locked, _("Look at it"), "off")


def _of_days(icon: str, title: str, days: Sequence[Any], verb: str, family: str = "part") -> Matter:
    first = days[0]
    where = _("%(where)s, %(when)s", where=_listed(days), when=formats.whole_date(first.date))
    return Matter(family, icon, title, where, f"/schedules/{first.id}", verb, first.since)


def _listed(rows: Sequence[Any]) -> str:
    """The names of the projects, each once, the first of many."""
    names = list(dict.fromkeys(isolated(named(row)) for row in rows))
    listed = (_(",") + " ").join(names[:_NAMED])
    more = len(names) - _NAMED
    if more <= 0:
        return listed
    return ngettext("%(names)s and one more", "%(names)s and %(num)s more", more, names=listed)


def _named(name: str, english: str) -> str:
    return english if direction() == "ltr" and english else name
