"""Reading the dogs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import joinedload

from k9ops.core.db import db
from k9ops.core.errors import NotFound
from k9ops.core.i18n import gettext as _
from k9ops.core.paging import NumberedPage, Order, by_name, containing, numbered_page, whole
from k9ops.kennel.models import Dog, DogStatus


@dataclass(frozen=True)
class DogFilter:
    """What to look for; what is empty does not count."""

    search: str = ""
    status: str = ""
    fitness: str = ""
    specialty: str = ""

    def apply(self, query: Select[Dog]) -> Select[Dog]:
        if self.search:
            columns = Dog.code, Dog.name, Dog.name_en, Dog.microchip
            query = query.where(containing(self.search, *columns))
        for name in ("status", "fitness", "specialty"):
            if getattr(self, name):
                query = query.where(getattr(Dog, name) == getattr(self, name))
        return query


def heads() -> dict[str, Any]:
    """What a list of dogs is sorted by; the oldest dog was born first."""
    return {
        "name": by_name(Dog)[0],
        "specialty": Dog.specialty,
        "fitness": Dog.fitness,
        "status": Dog.status,
        "born": Dog.born_on,
    }


def list_dogs(
    seen: ColumnElement[bool], wanted: DogFilter, order: Order, *, number: int = 1
) -> NumberedPage[Dog]:
    """The dogs among those `seen` that match, with their handlers."""
    query = wanted.apply(select(Dog).where(seen).options(joinedload(Dog.handler)))
    return numbered_page(db.session(), query, *order.of(heads(), Dog.id), number=number)


def all_dogs(seen: ColumnElement[bool], wanted: DogFilter, order: Order) -> Iterator[Dog]:
    """The same, all of them, for a file."""
    query = wanted.apply(select(Dog).where(seen).options(joinedload(Dog.handler)))
    return whole(db.session(), query, *order.of(heads(), Dog.id))


def count_by_fitness(seen: ColumnElement[bool]) -> dict[str, int]:
    """How many dogs on duty are fit, and how fit."""
    on_duty = Dog.status == DogStatus.ACTIVE
    query = select(Dog.fitness, func.count()).where(seen, on_duty).group_by(Dog.fitness)
    return dict(db.session.execute(query).all())


def get_dog(dog_id: int) -> Dog:
    """Raise NotFound when there is none of that id."""
    dog = db.session.get(Dog, dog_id)
    if dog is None:
        raise NotFound(_("There is no such dog."))
    return dog


def get_seen_dog(seen: ColumnElement[bool], dog_id: int) -> Dog:
    """Raise NotFound when there is none of that id among those `seen`."""
    query = select(Dog).where(seen, Dog.id == dog_id).options(joinedload(Dog.handler))
    dog = db.session.scalars(query).one_or_none()
    if dog is None:
        raise NotFound(_("There is no such dog."))
    return dog


def dogs_of_handler(
    seen: ColumnElement[bool], person_id: int, *, number: int = 1
) -> NumberedPage[Dog]:
    """The dogs with which the person works as a rule, by name."""
    query = select(Dog).where(seen, Dog.handler_id == person_id)
    return numbered_page(db.session(), query, *by_name(Dog), number=number)
