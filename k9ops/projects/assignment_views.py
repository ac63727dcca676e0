"""The pages on which people and dogs are assigned to a project, and their time in it is ended."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from k9ops.accounts.sessions import current_actor
from k9ops.core.checks import unit_today
from k9ops.core.i18n import gettext as _
from k9ops.projects import queries, services
from k9ops.projects.forms import DogAssignmentForm, EndForm, PersonAssignmentForm
from k9ops.projects.models import Assignment, Project
from k9ops.projects.scope import current_viewer, get_visible_project
from k9ops.projects.services import NewAssignment
from k9ops.web.formats import isolated, named
from k9ops.web.forms import options, saved
from k9ops.web.security import requires

assignments = Blueprint("assignments", __name__)


@assignments.route("/projects/<int(max=2147483647):project_id>/people/new", methods=["GET", "POST"])
@requires("projects.edit")
def assign_person(project_id: int) -> ResponseReturnValue:
    """Let a person belong to the project."""
    project = get_visible_project(current_viewer(), project_id)
    form = PersonAssignmentForm(from_on=unit_today())
    free = queries.people_to_assign(project_id)
    titles = {one.id: f"{named(one)} · {one.number}" for one in free}
    form.person_id.choices = options(titles, none=_("choose…"))
    return _assign(project, form, form.person_id, _("Assign a person"))


@assignments.route("/projects/<int(max=2147483647):project_id>/dogs/new", methods=["GET", "POST"])
@requires("projects.edit")
def assign_dog(project_id: int) -> ResponseReturnValue:
    """Let a dog belong to the project."""
    project = get_visible_project(current_viewer(), project_id)
    form = DogAssignmentForm(from_on=unit_today())
    free = queries.dogs_to_assign(project_id)
    titles = {one.id: f"{named(one)} · {one.code}" for one in free}
    form.dog_id.choices = options(titles, none=_("choose…"))
    return _assign(project, form, form.dog_id, _("Assign a dog"))


def _assign(
    project: Project, form: PersonAssignmentForm | DogAssignmentForm, whom: Any, title: str
) -> ResponseReturnValue:
    def assign() -> Assignment:
        new = NewAssignment(form.from_on.data, form.to_on.data, **{whom.name: whom.data})
        return services.assign(project.id, new, actor=current_actor())

    kept = saved(form, assign)
    if kept:
        return _done(kept)
    page = render_template("projects/assign.html", form=form, whom=whom, one=project, title=title)
    return page, 422 if form.errors else 200


@assignments.route(
    "/projects/<int(max=2147483647):project_id>/assignments/<int(max=2147483647):assignment_id>/end",
    methods=["GET", "POST"],
)
@requires("projects.edit")
def end(project_id: int, assignment_id: int) -> ResponseReturnValue:
    """Set the last day of a person or a dog in the project."""
    project = get_visible_project(current_viewer(), project_id)
    assignment = queries.get_assignment(project_id, assignment_id)
    form = EndForm(to_on=assignment.to_on or max(unit_today(), assignment.from_on))

    def end() -> Assignment:
        day = form.to_on.data
        return services.end_assignment(project_id, assignment_id, day, actor=current_actor())

    kept = saved(form, end)
    if kept:
        return _done(kept)
    page = render_template("projects/end.html", form=form, one=project, assignment=assignment)
    return page, 422 if form.errors else 200


def _done(kept: Assignment) -> ResponseReturnValue:
    whom = kept.person or kept.dog
    flash(_("%(name)s was saved.", name=isolated(named(whom))), "ok")
    who = "dogs" if kept.dog_id else "people"
    address = url_for("projects.show", project_id=kept.project_id, who=who, _anchor="assigned")
    return redirect(address, 303)
