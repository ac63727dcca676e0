"""Changing projects, their places and assignments; each is one transaction with its audit."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import exists, or_, select

from k9ops.audit.records import keep
from k9ops.audit.services import Actor
from k9ops.core.checks import Check, checked, line_of, one_word_of, text_up_to
from k9ops.core.db import db
from k9ops.core.errors import BadInput, NotFound
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.core.seen import hold
from k9ops.kennel.models import Dog
from k9ops.people.models import Person
from k9ops.projects.models import Assignment, Place, Project, ProjectStatus
from k9ops.projects.queries import SERVING, get_assignment, get_place
from k9ops.projects.words import span

CHECKS: dict[str, Check] = {
    "code": line_of(Project.code, required=True),
    "name": line_of(Project.name, required=True),
    "name_en": line_of(Project.name_en),
    "status": one_word_of(ProjectStatus),
    "notes": text_up_to(4000),
}
PLACE_CHECKS: dict[str, Check] = {
    "name": line_of(Place.name, required=True),
    "name_en": line_of(Place.name_en),
}
_TAKEN = {"code": _l("Another project has this code.")}
_PLACE_TAKEN = {"name": _l("The project has a place of this name.")}


@dataclass(frozen=True)
class ProjectValues:
    """What is kept of a project."""

    code: str
    name: str
    starts_on: date | None
    name_en: str = ""
    status: str = ProjectStatus.PLANNED
    ends_on: date | None = None
    manager_id: int | None = None
    notes: str = ""


@dataclass(frozen=True)
class PlaceValues:
    """A place in both languages."""

    name: str
    name_en: str = ""


@dataclass(frozen=True)
class NewAssignment:
    """Who or which dog is to belong to a project, from and to which day, both included."""

    from_on: date | None
    to_on: date | None = None
    person_id: int | None = None
    dog_id: int | None = None


def add_project(values: ProjectValues, *, actor: Actor) -> Project:
    """Begin a project.

    Raises:
        BadInput: a field is wrong; it is named.
        Conflict: another project has the code, also when two add it at once.
    """
    return _keep(Project(), values, actor)


def change_project(
    project_id: int, values: ProjectValues, *, actor: Actor, seen: str | None = None
) -> Project:
    """Change what is kept of the project. Raises as `add_project` does, and NotFound, Stale."""
    return _keep(_get_project(project_id), values, actor, seen)


def add_place(project_id: int, values: PlaceValues, *, actor: Actor) -> Place:
    """Add a place where people of the project stand.

    Raises:
        NotFound: there is no such project.
        BadInput: a field is wrong; it is named.
        Conflict: the project has a place of that name.
    """
    project = _get_project(project_id)
    kept = asdict(checked(values, PLACE_CHECKS))
    return _keep_place(Place(project_id=project.id), kept, actor)


def change_place(
    project_id: int,
    place_id: int,
    values: PlaceValues,
    *,
    actor: Actor,
    seen: str | None = None,
) -> Place:
    """Correct the names of a place, open or closed. Raises as `add_place` does, and Stale."""
    kept = asdict(checked(values, PLACE_CHECKS))
    return _keep_place(get_place(project_id, place_id), kept, actor, seen)


def close_place(project_id: int, place_id: int, *, actor: Actor) -> Place:
    """Plan nobody there any more; what was planned stays. Raises NotFound."""
    return _keep_place(get_place(project_id, place_id), {"active": False}, actor)


def reopen_place(project_id: int, place_id: int, *, actor: Actor) -> Place:
    """Plan people there again. Raises NotFound."""
    return _keep_place(get_place(project_id, place_id), {"active": True}, actor)


def assign(project_id: int, new: NewAssignment, *, actor: Actor) -> Assignment:
    """Let a person or a dog belong to the project for a time.

    Raises:
        NotFound: there is no such project.
        BadInput: a field is wrong, the time has no day of the project, or they belong to it
            already then; it is named.
    """
    project = _get_project(project_id)
    whom = _whom(new)
    _check_order(new.from_on, new.to_on, "to_on")
    _check_overlap(project, new)
    assignment = Assignment(project_id=project.id, person_id=new.person_id, dog_id=new.dog_id)
    hold(project)
    _check_free(assignment, new.from_on, new.to_on, "from_on")
    dates = {"from_on": new.from_on, "to_on": new.to_on}
    name = f"{project.code} {whom.name}"
    keep(assignment, dates, actor=actor, kind="assignment", name=name, taken={})
    return assignment


def end_assignment(
    project_id: int, assignment_id: int, to_on: date | None, *, actor: Actor
) -> Assignment:
    """Set the last day of an assignment.

    Raises:
        NotFound: the project has no such assignment.
        BadInput: the day does not fit; the field is `to_on`.
    """
    assignment = get_assignment(project_id, assignment_id)
    if to_on is None:
        raise BadInput(_("Choose the last day."), field="to_on")
    _check_order(assignment.from_on, to_on, "to_on")
    project = _get_project(project_id)
    hold(project)
    _check_free(assignment, assignment.from_on, to_on, "to_on")
    whom = assignment.person or assignment.dog
    name = f"{project.code} {whom.name if whom else ''}"
    keep(assignment, {"to_on": to_on}, actor=actor, kind="assignment", name=name, taken={})
    return assignment


def _keep(
    project: Project, values: ProjectValues, actor: Actor, seen: str | None = None
) -> Project:
    values = checked(values, CHECKS)
    if values.starts_on is None:
        raise BadInput(_("Choose the first day."), field="starts_on")
    _check_order(values.starts_on, values.ends_on, "ends_on")
    if values.manager_id not in (None, project.manager_id):
        manager = db.session.get(Person, values.manager_id)
        if manager is None or not manager.active:
            raise BadInput(_("Choose somebody who is in service."), field="manager_id")
    keep(
        project,
        asdict(values),
        actor=actor,
        kind="project",
        name=values.code,
        taken=_TAKEN,
        seen=seen,
    )
    return project


def _keep_place(
    place: Place, values: dict[str, Any], actor: Actor, seen: str | None = None
) -> Place:
    name = values.get("name") or place.name
    keep(place, values, actor=actor, kind="place", name=name, taken=_PLACE_TAKEN, seen=seen)
    return place


def _get_project(project_id: int) -> Project:
    project = db.session.get(Project, project_id)
    if project is None:
        raise NotFound(_("There is no such project."))
    return project


def _whom(new: NewAssignment) -> Person | Dog:
    if new.dog_id is not None:
        dog = db.session.get(Dog, new.dog_id)
        if dog is None or new.person_id is not None:
            raise BadInput(_("Choose a dog."), field="dog_id")
        if dog.status not in SERVING:
            raise BadInput(_("Choose a dog that is in service."), field="dog_id")
        return dog
    person = db.session.get(Person, new.person_id) if new.person_id is not None else None
    if person is None or not person.active:
        raise BadInput(_("Choose somebody who is in service."), field="person_id")
    return person


def _check_order(first: date | None, last: date | None, field: str) -> None:
    if first is None:
        raise BadInput(_("Choose the first day."), field="from_on")
    if last is not None and last < first:
        raise BadInput(_("The last day is before the first."), field=field)


def check_in_span(project: Project, day: date, field: str) -> None:
    """Raise BadInput, at that field, unless the day is one of the project's."""
    if not project.starts_on <= day <= (project.ends_on or date.max):
        days = span(project.starts_on, project.ends_on)
        text = _("This day is outside the time of the project: %(days)s.", days=days)
        raise BadInput(text, field=field)


def _check_overlap(project: Project, new: NewAssignment) -> None:
    """Raise BadInput unless the assignment holds on a day of the project."""
    if new.to_on is not None and new.to_on < project.starts_on:
        check_in_span(project, new.to_on, "to_on")
    if new.from_on is not None and new.from_on > (project.ends_on or date.max):
        check_in_span(project, new.from_on, "from_on")


def _check_free(own: Assignment, first: date | None, last: date | None, field: str) -> None:
    """Raise BadInput when the person or the dog belongs to the project at that time already."""
    same = (Assignment.person_id == own.person_id, Assignment.dog_id == own.dog_id)
    query = exists().where(
        Assignment.project_id == own.project_id,
        same[0] if own.dog_id is None else same[1],
        Assignment.id.is_distinct_from(own.id),
        or_(Assignment.to_on.is_(None), Assignment.to_on >= first),
        Assignment.from_on <= (last or date.max),
    )
    if db.session.scalar(select(query)):
        raise BadInput(_("Already assigned to the project at that time."), field=field)
