"""Reading the people of the unit."""

from sqlalchemy import select

from k9ops.core.db import db
from k9ops.core.errors import NotFound
from k9ops.core.i18n import gettext as _
from k9ops.people.models import Person


def person_of_account(user_id: int) -> Person | None:
    """The person who signs in with that account."""
    return db.session.scalars(select(Person).where(Person.user_id == user_id)).one_or_none()


def get_person(person_id: int) -> Person:
    """Raise NotFound when there is none of that id."""
    person = db.session.get(Person, person_id)
    if person is None:
        raise NotFound(_("There is no such person."))
    return person
