"""The list of days as a file; for a handler their own duties of the week."""

from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from k9ops.accounts.sessions import current_actor
from k9ops.audit.exports import export_list
from k9ops.core.db import db
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.projects.scope import Viewer, current_viewer
from k9ops.schedules import weeks, words
from k9ops.schedules.asked import asked, chosen_day
from k9ops.schedules.models import DutyItem
from k9ops.schedules.weeks import ProjectDay
from k9ops.web.exports import KINDS, Column
from k9ops.web.formats import named
from k9ops.web.security import requires

day_files = Blueprint("day_files", __name__)

#: More projects in a week than any unit has.
_MOST = 100_000
_DAYS: list[Column[ProjectDay]] = [
    Column(_l("Day"), lambda one: one.date),
    Column(_l("Project"), lambda one: named(one.project)),
    Column(_l("Code"), lambda one: one.project.code),
    Column(_l("State"), lambda one: words.state_of(one.day).text),
    Column(_l("Planned"), lambda one: one.counts.planned),
    Column(_l("Present"), lambda one: one.counts.present),
    Column(_l("Absent"), lambda one: one.counts.absent),
    Column(_l("Not marked"), lambda one: one.counts.unmarked),
    Column(_l("Conflicts"), lambda one: one.conflicts),
]


def _columns_of_own(person_id: int | None) -> list[Column[DutyItem]]:
    return [
        Column(_l("Day"), lambda one: one.schedule.date),
        Column(_l("Begins"), lambda one: one.starts_at),
        Column(_l("Ends"), lambda one: one.ends_at),
        Column(_l("Shift"), lambda one: named(one.shift)),
        Column(_l("Project"), lambda one: named(one.schedule.project)),
        Column(_l("Place"), lambda one: named(one.place) if one.place else None),
        Column(_l("Dog"), lambda one: named(one.dog) if one.dog else None),
        Column(_l("State"), lambda one: words.own_state(one, person_id).text),
    ]


@day_files.get(f"/schedules/export/{KINDS}")
@requires("schedules.view")
def export(kind: str) -> ResponseReturnValue:
    """What the filters show, as a file."""
    viewer, actor = current_viewer(), current_actor()
    columns: list[Column[Any]]
    if viewer.plans or viewer.sees_all:
        title, columns, rows = _("Duty"), _DAYS, _days(viewer)
    else:
        title, columns = _("My duty"), _columns_of_own(viewer.person_id)
        rows = weeks.own_week(viewer, weeks.week_of(chosen_day()))
        db.session.expunge_all()  # they are read once the trail is written
    return export_list(kind, title, columns, rows, actor=actor)


def _days(viewer: Viewer) -> list[Any]:
    wanted = asked(viewer)
    conflicts = weeks.conflicts_on(viewer, wanted.days, wanted.project_id)
    page = weeks.page_of_days(
        viewer,
        wanted.days,
        conflicts,
        wanted.order,
        project_id=wanted.project_id,
        state=wanted.state.value,
        limit=_MOST,
    )
    return page.items
