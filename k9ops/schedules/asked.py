"""What the address of the list of days asks for."""

from dataclasses import dataclass
from datetime import date

from flask import request

from k9ops.core.checks import unit_today
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.core.paging import Order, row_key
from k9ops.projects.scope import Viewer
from k9ops.schedules import weeks, words
from k9ops.schedules.services import FIRST_DAY
from k9ops.web.filters import Choice, choice, sorted_by

SPANS = {"week": _l("the whole week")}
#: Days after it have no week.
LAST = date(2100, 1, 1)


@dataclass(frozen=True)
class Asked:
    """The day or its week, the filters, the order."""

    chosen: date
    project: Choice
    state: Choice
    span: Choice
    order: Order

    @property
    def week(self) -> list[date]:
        return weeks.week_of(self.chosen)

    @property
    def days(self) -> list[date]:
        return self.week if self.span.value else [self.chosen]

    @property
    def project_id(self) -> int | None:
        return row_key(self.project.value) if self.project.value else None

    @property
    def choices(self) -> list[Choice]:
        return [self.project, self.state, self.span]


def asked(viewer: Viewer) -> Asked:
    """What this request's address asks for; what is none of it counts as not set."""
    return Asked(
        chosen=chosen_day(),
        project=choice("project", _l("Project"), weeks.project_names(viewer)),
        state=choice("state", _l("State"), {key: one.text for key, one in words.STATES.items()}),
        span=choice("span", _l("Range"), SPANS),
        order=sorted_by(*weeks.HEADS),
    )


def chosen_day() -> date:
    """The day that the address asks for, else today."""
    today = unit_today()
    try:
        chosen = date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return today
    return chosen if FIRST_DAY <= chosen <= LAST else today
