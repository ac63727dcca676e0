"""The kinds of arguments that reports take: read from text, checked, written back in full."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from k9ops.core.checks import unit_today
from k9ops.core.db import db
from k9ops.core.errors import BadInput
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.core.paging import row_key
from k9ops.projects.models import Project, ProjectStatus


@dataclass(frozen=True)
class Argument:
    """One kind: `read` takes a text, an empty one means the default; `write` is its inverse."""

    title: Any
    read: Callable[[str], Any]
    write: Callable[[Any], str]
    #: How a page asks for it: `select`, `date` or `month`.
    control: str


def read_project(text: str) -> Project:
    """A project by its code or its id; by default the first that is open.

    Raises:
        BadInput: there is none.
    """
    project = _project(text) if text else _first_open()
    if project is None and text:
        hint = _("Give the code of a project, such as it stands on its page.")
        raise BadInput(_("There is no project %(name)s.", name=text), field="project", hint=hint)
    if project is None:
        hint = _("Name a project.")
        raise BadInput(_("No project is open."), field="project", hint=hint)
    return project


def read_date(text: str) -> date:
    """A day such as 2026-11-17; by default today.

    Raises:
        BadInput: it is none.
    """
    try:
        return date.fromisoformat(text) if text else unit_today()
    except ValueError:
        hint = _("Write it like %(example)s.", example="2026-11-17")
        text = _("%(text)s is no date.", text=text)
        raise BadInput(text, field="date", hint=hint) from None


def read_month(text: str) -> date:
    """The first day of a month such as 2026-11; by default of this month.

    Raises:
        BadInput: it is none.
    """
    try:
        return date.fromisoformat(f"{text}-01") if text else unit_today().replace(day=1)
    except ValueError:
        hint = _("Write it like %(example)s.", example="2026-11")
        text = _("%(text)s is no month.", text=text)
        raise BadInput(text, field="month", hint=hint) from None


def _project(text: str) -> Project | None:
    if not text.isprintable():  # NUL and half signs: the database refuses the very question
        return None
    found = db.session.scalars(select(Project).where(Project.code == text)).one_or_none()
    if found is None and text.isdecimal():
        try:
            return db.session.get(Project, row_key(text))
        except ValueError:
            return None
    return found


def _first_open() -> Project | None:
    query = select(Project).where(Project.status == ProjectStatus.ACTIVE).order_by(Project.id)
    return db.session.scalars(query.limit(1)).one_or_none()


PROJECT = Argument(_l("Project"), read_project, lambda project: project.code, "select")
DATE = Argument(_l("Date"), read_date, date.isoformat, "date")
MONTH = Argument(_l("Month"), read_month, lambda month: month.isoformat()[:7], "month")
