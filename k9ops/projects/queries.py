"""Reading projects."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, case, exists, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, contains_eager, joinedload

from k9ops.core.db import db
from k9ops.core.errors import NotFound
from k9ops.core.i18n import gettext as _
from k9ops.core.paging import NumberedPage, Order, by_name, containing, numbered_page, whole
from k9ops.kennel.models import Dog, DogStatus, Fitness
from k9ops.people.models import Person, Work
from k9ops.projects.models import Assignment, Place, Project
from k9ops.projects.scope import Viewer, of_visible_projects, visible_projects

#: Dogs that belong to projects; only those on duty are planned.
SERVING = (DogStatus.ACTIVE, DogStatus.TRAINING)


def assigned_on(day: date | InstrumentedAttribute[date]) -> ColumnElement[bool]:
    """The assignments that hold on that day, which may be one of each row."""
    return (Assignment.from_on <= day) & or_(Assignment.to_on.is_(None), Assignment.to_on >= day)


def is_assigned(
    project_id: int, day: date, *, person_id: int | None = None, dog_id: int | None = None
) -> bool:
    """Whether the person or the dog belongs to the project on that day."""
    whom = Assignment.dog_id == dog_id if person_id is None else Assignment.person_id == person_id
    found = exists().where(Assignment.project_id == project_id, whom, assigned_on(day))
    return bool(db.session.scalar(select(found)))


def is_handler() -> ColumnElement[bool]:
    """The people whom one may plan, as far as their own row goes."""
    return Person.active & (Person.work == Work.HANDLER)


def is_fit() -> ColumnElement[bool]:
    """The dogs that one may plan, as far as their own row goes."""
    return (Dog.status == DogStatus.ACTIVE) & (Dog.fitness != Fitness.UNFIT)


def handlers_on(project_id: int, day: date) -> list[Person]:
    """The handlers who belong to the project on that day, by name."""
    belongs = exists().where(
        Assignment.project_id == project_id, Assignment.person_id == Person.id, assigned_on(day)
    )
    query = select(Person).where(belongs, is_handler())
    return list(db.session.scalars(query.order_by(*by_name(Person))))


def dogs_on(project_id: int, day: date) -> list[Dog]:
    """The dogs of the project that may be planned on that day, by name."""
    belongs = exists().where(
        Assignment.project_id == project_id, Assignment.dog_id == Dog.id, assigned_on(day)
    )
    return list(db.session.scalars(select(Dog).where(belongs, is_fit()).order_by(*by_name(Dog))))


def places_of(project_id: int) -> list[Place]:
    """The places that are in use, by name."""
    query = select(Place).where(Place.project_id == project_id, Place.active)
    return list(db.session.scalars(query.order_by(*by_name(Place))))


@dataclass(frozen=True)
class ProjectFilter:
    """What to look for; what is empty does not count."""

    search: str = ""
    status: str = ""

    def apply(self, query: Select[Project]) -> Select[Project]:
        if self.search:
            columns = Project.code, Project.name, Project.name_en
            query = query.where(containing(self.search, *columns))
        return query.where(Project.status == self.status) if self.status else query


def heads() -> dict[str, Any]:
    """What a list of projects is sorted by."""
    return {
        "name": by_name(Project)[0],
        "status": Project.status,
        "days": Project.starts_on,
    }


def list_projects(
    viewer: Viewer, wanted: ProjectFilter, order: Order, *, number: int = 1
) -> NumberedPage[Project]:
    """Their projects that match, with their managers."""
    query = wanted.apply(visible_projects(viewer)).options(joinedload(Project.manager))
    return numbered_page(db.session(), query, *order.of(heads(), Project.id), number=number)


def all_projects(viewer: Viewer, wanted: ProjectFilter, order: Order) -> Iterator[Project]:
    """The same, all of them, for a file."""
    query = wanted.apply(visible_projects(viewer)).options(joinedload(Project.manager))
    return whole(db.session(), query, *order.of(heads(), Project.id))


def managed_by(viewer: Viewer, person_id: int, *, number: int = 1) -> NumberedPage[Project]:
    """The projects among theirs that the person manages, by name."""
    query = visible_projects(viewer).where(Project.manager_id == person_id)
    return numbered_page(db.session(), query, *by_name(Project), number=number)


def count_by_status(viewer: Viewer) -> dict[str, int]:
    query = visible_projects(viewer).with_only_columns(Project.status, func.count())
    return dict(db.session.execute(query.group_by(Project.status)).all())


def strength_on(day: date, project_ids: list[int]) -> dict[int, tuple[int, int]]:
    """How many people and dogs belong to each of the projects on that day."""
    counts = func.count(Assignment.person_id), func.count(Assignment.dog_id)
    query = select(Assignment.project_id, *counts).where(
        Assignment.project_id.in_(project_ids), assigned_on(day)
    )
    rows = db.session.execute(query.group_by(Assignment.project_id))
    return {project_id: (people, dogs) for project_id, people, dogs in rows}


def assignments_of(
    project_id: int, table: type[Person | Dog], day: date, *, number: int = 1
) -> NumberedPage[Assignment]:
    """The people or the dogs of a project by name; those whose time is over stand last."""
    whom = Assignment.person if table is Person else Assignment.dog
    is_over = case((Assignment.to_on < day, 1), else_=0)
    query = select(Assignment).join(whom).options(contains_eager(whom))
    query = query.where(Assignment.project_id == project_id)
    order = is_over, by_name(table)[0], Assignment.from_on.desc(), Assignment.id
    return numbered_page(db.session(), query, *order, number=number)


def assignments_in_sight(
    viewer: Viewer,
    *,
    person_id: int | None = None,
    dog_id: int | None = None,
    number: int = 1,
) -> NumberedPage[Assignment]:
    """The times of a person or a dog in their projects, newest first."""
    whom = Assignment.dog_id == dog_id if person_id is None else Assignment.person_id == person_id
    query = of_visible_projects(viewer).where(whom).options(joinedload(Assignment.project))
    order = Assignment.from_on.desc(), Assignment.id.desc()
    return numbered_page(db.session(), query, *order, number=number)


def get_assignment(project_id: int, assignment_id: int) -> Assignment:
    """Raise NotFound when the project has none of that id."""
    query = select(Assignment).where(
        Assignment.project_id == project_id, Assignment.id == assignment_id
    )
    query = query.options(joinedload(Assignment.person), joinedload(Assignment.dog))
    found = db.session.scalars(query).one_or_none()
    if found is None:
        raise NotFound(_("There is no such assignment."))
    return found


def all_places_of(project_id: int) -> list[Place]:
    """The places of a project by name; closed ones stand last."""
    query = select(Place).where(Place.project_id == project_id)
    return list(db.session.scalars(query.order_by(Place.active.desc(), *by_name(Place))))


def get_place(project_id: int, place_id: int) -> Place:
    """Raise NotFound when the project has none of that id."""
    query = select(Place).where(Place.project_id == project_id, Place.id == place_id)
    place = db.session.scalars(query).one_or_none()
    if place is None:
        raise NotFound(_("There is no such place."))
    return place


def people_to_assign(project_id: int) -> Sequence[Row[int, str, str, str]]:
    """The active people who do not belong to the project until further notice, by name.

    Only id, number and names: a choice may have a thousand.
    """
    stays = _stays(project_id) & (Assignment.person_id == Person.id)
    query = select(Person.id, Person.number, Person.name, Person.name_en)
    free = query.where(Person.active, ~exists().where(stays))
    return db.session.execute(free.order_by(*by_name(Person))).all()


def dogs_to_assign(project_id: int) -> Sequence[Row[int, str, str, str]]:
    """The living dogs in service that do not belong to it until further notice, by name."""
    stays = _stays(project_id) & (Assignment.dog_id == Dog.id)
    query = select(Dog.id, Dog.code, Dog.name, Dog.name_en)
    free = query.where(Dog.status.in_(SERVING), ~exists().where(stays))
    return db.session.execute(free.order_by(*by_name(Dog))).all()


def _stays(project_id: int) -> ColumnElement[bool]:
    return (Assignment.project_id == project_id) & Assignment.to_on.is_(None)


def people_seen_by(viewer: Viewer) -> ColumnElement[bool]:
    """Everybody, or those who belong or belonged to their projects."""
    mine = of_visible_projects(viewer).with_only_columns(Assignment.person_id)
    return true() if viewer.sees_all else Person.id.in_(mine)


def dogs_seen_by(viewer: Viewer) -> ColumnElement[bool]:
    """Every dog, or those that belong or belonged to their projects."""
    mine = of_visible_projects(viewer).with_only_columns(Assignment.dog_id)
    return true() if viewer.sees_all else Dog.id.in_(mine)
