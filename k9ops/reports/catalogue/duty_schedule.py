"""The duty of a project on one day: who stands where, and who came."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from babel.dates import format_date

from k9ops.core.clock import utcnow
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.core.i18n import ngettext
from k9ops.projects.models import Project
from k9ops.projects.scope import EVERYTHING
from k9ops.reports.arguments import DATE, PROJECT
from k9ops.reports.attendance import SIGNS, WORDS, Tally
from k9ops.reports.registry import Sheet, report
from k9ops.schedules.models import DutyItem, DutySchedule
from k9ops.schedules.queries import by_shift, items_of
from k9ops.schedules.services import day_of
from k9ops.web import formats

#: Longer notes stand under their row, in its whole width.
LONG_NOTE = 60


@dataclass(frozen=True)
class Group:
    """The duties of one shift."""

    heading: str
    items: list[DutyItem]


@report(
    "duty_schedule",
    title=_l("Duty schedule of a day"),
    arguments={"project": PROJECT, "date": DATE},
)
def duty_schedule(project: Project, date: date) -> Sheet:
    """Everyone on duty for the project on that day, by shift, with their attendance."""
    day = day_of(project.id, date)
    items = items_of(EVERYTHING, day.id) if day else []
    title = _("Duty schedule: %(project)s", project=formats.isolated(formats.named(project)))
    context = {
        "heading": title,
        "subtitle": _subtitle(date, day, items),
        "notes": day.notes if day else "",
        "facts": _facts(items) if items else [],
        "groups": list(_groups(items)),
        "long_note": LONG_NOTE,
        "signs": SIGNS,
        "words": WORDS,
    }
    name = f"{title}{_(',')} {formats.whole_date(date)}"
    return Sheet(name, "duty_schedule.html", context, project.id)


def _groups(items: Iterable[DutyItem]) -> Iterable[Group]:
    for rows in by_shift(items):
        span, tally = _span(rows[0].starts_at, rows[0].ends_at), Tally.of(rows).in_words()
        yield Group(f"{formats.named(rows[0].shift)}{_(',')} {span} · {tally}", rows)


def _span(starts: datetime, ends: datetime) -> str:
    return _("from %(start)s to %(end)s", start=formats.clock(starts), end=formats.clock(ends))


def _facts(items: list[DutyItem]) -> list[tuple[str, str]]:
    people = len({item.handler_id for item in items})
    dogs = len({item.dog_id for item in items if item.dog_id})
    planned = ngettext("%(num)s handler", "%(num)s handlers", people)
    with_dogs = ngettext("%(num)s dog", "%(num)s dogs", dogs)
    return [(_("Planned"), f"{planned}{_(',')} {with_dogs}"), *Tally.of(items).facts()]


def _subtitle(on: date, day: DutySchedule | None, items: list[DutyItem]) -> list[Any]:
    """The day, from when to when, and whether it may still change."""
    parts = [formats.whole_date(on)]
    if items:
        parts.append(_whole_span(items))
    if day is None:
        return [*parts, _("not planned")]
    return [*parts, _lock(day)]


def _whole_span(items: list[DutyItem]) -> str:
    starts, ends = min(item.starts_at for item in items), max(item.ends_at for item in items)
    last_day = formats.local(ends).date()
    if last_day == formats.local(starts).date():
        return _span(starts, ends)
    weekday = format_date(last_day, "EEEE", locale=formats.locale())
    return _(
        "from %(start)s to %(end)s on %(day)s",
        start=formats.clock(starts),
        end=formats.clock(ends),
        day=weekday,
    )


def _lock(day: DutySchedule) -> str:
    since = day.open_until or day.locked_at
    if since is None or not day.is_locked(utcnow()):
        return _("open: it may still change")
    at = formats.local(since)
    return _("locked on %(day)s at %(time)s", day=formats.on(at.date()), time=formats.clock(at))
