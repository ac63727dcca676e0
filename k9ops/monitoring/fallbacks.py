"""The runs that were to go to Celery and were executed by the application: which, when, why."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from k9ops.core.db import db
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import ngettext
from k9ops.jobs.models import JobRun
from k9ops.jobs.states import Path, Reason, State
from k9ops.monitoring.words import REASONS
from k9ops.web import formats

#: In process because somebody wanted it so.
_WANTED = (Reason.CELERY_OFF, Reason.REQUESTED)


@dataclass(frozen=True)
class FellBack:
    """Such runs: how many by reason, the first and the last, and how they ended."""

    reasons: dict[str, int]
    first: datetime
    last: datetime
    ended: int
    good: int

    @property
    def count(self) -> int:
        return sum(self.reasons.values())


def fell_back(since: datetime) -> FellBack | None:
    """Of the runs that were queued since then, the most frequent reason first; None if none did."""
    query = (
        select(
            JobRun.reason,
            func.count(),
            func.min(JobRun.queued_at),
            func.max(JobRun.queued_at),
            func.count(JobRun.finished_at),
            func.count().filter(JobRun.state == State.SUCCEEDED),
        )
        .where(JobRun.queued_at >= since, JobRun.path == Path.IN_PROCESS)
        .where(JobRun.reason.not_in(_WANTED))
        .group_by(JobRun.reason)
        .order_by(func.count().desc(), JobRun.reason)
    )
    rows = list(db.session.execute(query))
    if not rows:
        return None
    reasons, counts, firsts, lasts, ended, good = zip(*rows, strict=True)
    by_reason = dict(zip(reasons, counts, strict=True))
    return FellBack(by_reason, min(firsts), max(lasts), sum(ended), sum(good))


def told(found: FellBack) -> str:
    """All of it in a sentence or two."""
    reasons = (
        f"{REASONS[reason]} ({formats.number(count)})" for reason, count in found.reasons.items()
    )
    values = {
        "when": _span(found),
        "reasons": (_(",") + " ").join(reasons),
        "end": _end(found),
    }
    return ngettext(
        "One run fell back to the application (%(when)s): %(reasons)s. %(end)s",
        "%(num)s runs fell back to the application (%(when)s): %(reasons)s. %(end)s",
        found.count,
        **values,
    )


def _span(found: FellBack) -> str:
    first, last = formats.clock(found.first), formats.clock(found.last)
    return first if first == last else _("%(from)s–%(to)s", **{"from": first, "to": last})


def _end(found: FellBack) -> str:
    if found.good == found.count:
        return ngettext("It succeeded.", "All succeeded.", found.count)
    good, ended = formats.number(found.good), formats.number(found.ended)
    return _("%(good)s of the %(ended)s that ended succeeded.", good=good, ended=ended)
