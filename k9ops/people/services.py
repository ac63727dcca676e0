"""Adding and changing people; every function is one transaction with its audit entry."""

from dataclasses import asdict, dataclass
from datetime import date

from k9ops.accounts.models import User
from k9ops.audit.records import keep
from k9ops.audit.services import Actor
from k9ops.core.checks import Check, checked, line_of, not_after_today, one_word_of
from k9ops.core.db import db
from k9ops.core.errors import BadInput
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.people.models import Person, Work
from k9ops.people.queries import get_person

CHECKS: dict[str, Check] = {
    "number": line_of(Person.number, required=True),
    "name": line_of(Person.name, required=True),
    "name_en": line_of(Person.name_en),
    "work": one_word_of(Work),
    "phone": line_of(Person.phone),
    "hired_on": not_after_today,
}
_TAKEN = {
    "number": _l("Another person has this number."),
    "user_id": _l("This account belongs to another person."),
}


@dataclass(frozen=True)
class PersonValues:
    """What is kept of a person."""

    number: str
    name: str
    work: str
    name_en: str = ""
    phone: str = ""
    hired_on: date | None = None
    active: bool = True
    user_id: int | None = None


def add_person(values: PersonValues, *, actor: Actor) -> Person:
    """Add a person to the unit.

    Raises:
        BadInput: a field is wrong; it is named.
        Conflict: the number or the account is another person's, also when two add it at once.
    """
    return _keep(Person(), values, actor)


def change_person(
    person_id: int, values: PersonValues, *, actor: Actor, seen: str | None = None
) -> Person:
    """Change what is kept of the person. Raises as `add_person` does, and NotFound, Stale."""
    return _keep(get_person(person_id), values, actor, seen)


def _keep(person: Person, values: PersonValues, actor: Actor, seen: str | None = None) -> Person:
    values = checked(values, CHECKS)
    if values.user_id is not None and db.session.get(User, values.user_id) is None:
        raise BadInput(_("There is no such account."), field="user_id")
    keep(
        person,
        asdict(values),
        actor=actor,
        kind="person",
        name=values.name,
        taken=_TAKEN,
        seen=seen,
    )
    return person
