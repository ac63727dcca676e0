"""Reading projects."""

from datetime import date

from sqlalchemy import ColumnElement, exists, or_, select

from k9ops.core.db import db
from k9ops.kennel.models import Dog, DogStatus, Fitness
from k9ops.people.models import Person, Work
from k9ops.projects.models import Assignment, Place


def assigned_on(day: date) -> ColumnElement[bool]:
    """The assignments that hold on that day."""
    return (Assignment.from_on <= day) & or_(Assignment.to_on.is_(None), Assignment.to_on >= day)


def is_assigned(
    project_id: int, day: date, *, person_id: int | None = None, dog_id: int | None = None
) -> bool:
    """Whether the person or the dog belongs to the project on that day."""
    whom = Assignment.dog_id == dog_id if person_id is None else Assignment.person_id == person_id
    found = exists().where(Assignment.project_id == project_id, whom, assigned_on(day))
    return bool(db.session.scalar(select(found)))


def handlers_on(project_id: int, day: date) -> list[Person]:
    """The active handlers who belong to the project on that day, by name."""
    belongs = exists().where(
        Assignment.project_id == project_id, Assignment.person_id == Person.id, assigned_on(day)
    )
    query = select(Person).where(belongs, Person.active, Person.work == Work.HANDLER)
    return list(db.session.scalars(query.order_by(Person.name)))


def dogs_on(project_id: int, day: date) -> list[Dog]:
    """The dogs of the project that may be planned on that day, by name."""
    belongs = exists().where(
        Assignment.project_id == project_id, Assignment.dog_id == Dog.id, assigned_on(day)
    )
    able = (Dog.status == DogStatus.ACTIVE) & (Dog.fitness != Fitness.UNFIT)
    return list(db.session.scalars(select(Dog).where(belongs, able).order_by(Dog.name)))


def places_of(project_id: int) -> list[Place]:
    """The places that are in use, by name."""
    query = select(Place).where(Place.project_id == project_id, Place.active)
    return list(db.session.scalars(query.order_by(Place.name)))
