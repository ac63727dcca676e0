"""Reading the people of the unit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, bindparam, exists, func, select

from k9ops.accounts.models import User
from k9ops.core.db import db
from k9ops.core.errors import NotFound
from k9ops.core.i18n import gettext as _
from k9ops.core.paging import NumberedPage, Order, by_name, containing, numbered_page, whole
from k9ops.core.prepared_statements import KeptQuery
from k9ops.people.models import Person


def person_id_of_account(user_id: int) -> int | None:
    """The id of the person who signs in with that account."""
    found: int | None = _PERSON_ID.scalar(db.session(), user=user_id)
    return found


_PERSON_ID = KeptQuery(lambda: select(Person.id).where(Person.user_id == bindparam("user")))


def get_person(person_id: int) -> Person:
    """Raise NotFound when there is none of that id."""
    person = db.session.get(Person, person_id)
    if person is None:
        raise NotFound(_("There is no such person."))
    return person


@dataclass(frozen=True)
class PersonFilter:
    """What to look for; what is empty does not count."""

    search: str = ""
    work: str = ""
    active: bool | None = None

    def apply(self, query: Select[Person]) -> Select[Person]:
        if self.search:
            columns = Person.number, Person.name, Person.name_en
            query = query.where(containing(self.search, *columns))
        if self.work:
            query = query.where(Person.work == self.work)
        if self.active is not None:
            query = query.where(Person.active == self.active)
        return query


def heads() -> dict[str, Any]:
    """What a list of people is sorted by."""
    return {
        "name": by_name(Person)[0],
        "work": Person.work,
        "since": Person.hired_on,
        "active": Person.active,
    }


def list_people(
    seen: ColumnElement[bool], wanted: PersonFilter, order: Order, *, number: int = 1
) -> NumberedPage[Person]:
    """The people among those `seen` that match."""
    query = wanted.apply(select(Person).where(seen))
    return numbered_page(db.session(), query, *order.of(heads(), Person.id), number=number)


def all_people(seen: ColumnElement[bool], wanted: PersonFilter, order: Order) -> Iterator[Person]:
    """The same, all of them, for a file."""
    query = wanted.apply(select(Person).where(seen))
    return whole(db.session(), query, *order.of(heads(), Person.id))


def count_by_work(seen: ColumnElement[bool]) -> dict[str, int]:
    """How many active people do each work."""
    query = select(Person.work, func.count()).where(seen, Person.active).group_by(Person.work)
    return dict(db.session.execute(query).all())


def get_seen_person(seen: ColumnElement[bool], person_id: int) -> Person:
    """Raise NotFound when there is none of that id among those `seen`."""
    person = db.session.scalars(select(Person).where(seen, Person.id == person_id)).one_or_none()
    if person is None:
        raise NotFound(_("There is no such person."))
    return person


def is_seen(seen: ColumnElement[bool], person_id: int | None) -> bool:
    """Whether there is that person among those `seen`."""
    found = exists().where(seen, Person.id == person_id)
    return person_id is not None and bool(db.session.scalar(select(found)))


def account_of(person: Person) -> User | None:
    """The account with which the person signs in."""
    return db.session.get(User, person.user_id) if person.user_id else None


def free_accounts(person_id: int | None = None) -> list[User]:
    """The active accounts of nobody, and the person's own, by name."""
    taken = exists().where(Person.user_id == User.id, Person.id.is_distinct_from(person_id))
    own = exists().where(Person.user_id == User.id, Person.id == person_id)
    query = select(User).where(~taken, User.active | own).order_by(User.username)
    return list(db.session.scalars(query))


def active_people(*works: str, and_id: int | None = None) -> Sequence[Row[int, str, str]]:
    """The active people who do one of these works, and the one of that id, by name.

    Only id and names: a choice may have a thousand.
    """
    wanted = (Person.active & Person.work.in_(works)) | (Person.id == and_id)
    query = select(Person.id, Person.name, Person.name_en).where(wanted)
    return db.session.execute(query.order_by(*by_name(Person))).all()
