"""Who sees what of the unit: everything, one's own projects, or one's own duty."""

from dataclasses import dataclass

from sqlalchemy import Select, false, select

from k9ops.accounts.models import User
from k9ops.accounts.sessions import get_signed_in_user
from k9ops.core.db import db
from k9ops.core.errors import NotFound
from k9ops.core.i18n import gettext as _
from k9ops.people.queries import person_id_of_account
from k9ops.projects.models import Assignment, Project


@dataclass(frozen=True)
class Viewer:
    """Someone who looks or changes, as the rules of sight know them."""

    #: None for an account that belongs to nobody of the unit.
    person_id: int | None
    #: Sees every project.
    sees_all: bool = False
    #: Plans the days of the projects that they manage.
    plans: bool = False


#: The command line and jobs, which nobody limits.
EVERYTHING = Viewer(None, sees_all=True, plans=True)


def viewer_of(user: User) -> Viewer:
    return Viewer(
        person_id_of_account(user.id),
        sees_all=user.can("projects.all"),
        plans=user.can("schedules.edit"),
    )


def current_viewer() -> Viewer:
    """The person of this request."""
    return viewer_of(get_signed_in_user())


def visible_projects(viewer: Viewer) -> Select[Project]:
    """Their projects: all, those that they manage, or none."""
    query = select(Project)
    if viewer.sees_all:
        return query
    mine = Project.manager_id == viewer.person_id
    return query.where(mine if viewer.plans and viewer.person_id else false())


def get_visible_project(viewer: Viewer, project_id: int) -> Project:
    """Raise NotFound when there is none of that id that they may see."""
    query = visible_projects(viewer).where(Project.id == project_id)
    project: Project | None = db.session.scalars(query).one_or_none()
    if project is None:
        raise NotFound(_("There is no such project."))
    return project


def of_visible_projects(viewer: Viewer) -> Select[Assignment]:
    """Assignments, past ones too, of the projects that they may see."""
    projects = visible_projects(viewer).with_only_columns(Project.id)
    return select(Assignment).where(Assignment.project_id.in_(projects))
