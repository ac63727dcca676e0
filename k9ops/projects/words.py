"""Signs of projects and assignments."""

from datetime import date

from k9ops.core.checks import unit_today
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.projects.models import STATUS_TITLES, Assignment, ProjectStatus
from k9ops.web.formats import on
from k9ops.web.nav import Sign

STATUS = {
    ProjectStatus.PLANNED: Sign("circle-dashed", "wait", STATUS_TITLES[ProjectStatus.PLANNED]),
    ProjectStatus.ACTIVE: Sign("circle-check", "ok", STATUS_TITLES[ProjectStatus.ACTIVE]),
    ProjectStatus.COMPLETED: Sign("check-check", "off", STATUS_TITLES[ProjectStatus.COMPLETED]),
    ProjectStatus.CANCELLED: Sign("ban", "off", STATUS_TITLES[ProjectStatus.CANCELLED]),
}
_HOLDS = Sign("circle-check", "ok", _l("Assigned"))
_TO_COME = Sign("clock", "wait", _l("To come"))
_OVER = Sign("circle-minus", "off", _l("Over"))


def belonging(assignment: Assignment) -> Sign:
    """Whether the assignment holds today."""
    today = unit_today()
    if assignment.to_on is not None and assignment.to_on < today:
        return _OVER
    return _TO_COME if assignment.from_on > today else _HOLDS


def span(first: date, last: date | None) -> str:
    """The days from the first to the last, both included."""
    if last is None:
        return _("since %(day)s", day=on(first)) if first <= unit_today() else _from(first)
    return _("%(first)s to %(last)s", first=on(first), last=on(last))


def _from(first: date) -> str:
    return _("from %(day)s on", day=on(first))
