"""Adding and changing dogs; every function is one transaction with its audit entry."""

from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal

from k9ops.audit.records import keep
from k9ops.audit.services import Actor
from k9ops.core.checks import (
    Check,
    checked,
    line_of,
    not_after_today,
    number_between,
    one_word_of,
    text_up_to,
)
from k9ops.core.db import db
from k9ops.core.errors import BadInput
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.kennel.models import Dog, DogStatus, Fitness, Sex, Specialty
from k9ops.kennel.queries import get_dog
from k9ops.people.models import Person

CHECKS: dict[str, Check] = {
    "code": line_of(Dog.code, required=True),
    "name": line_of(Dog.name, required=True),
    "name_en": line_of(Dog.name_en),
    "breed": line_of(Dog.breed),
    "sex": one_word_of(Sex),
    "born_on": not_after_today,
    "microchip": line_of(Dog.microchip),
    "specialty": one_word_of(Specialty),
    "status": one_word_of(DogStatus),
    "fitness": one_word_of(Fitness),
    "weight_kg": number_between("0.1", "200"),
    "notes": text_up_to(4000),
}
_TAKEN = {
    "code": _l("Another dog has this code."),
    "microchip": _l("Another dog has this microchip."),
}


@dataclass(frozen=True)
class DogValues:
    """What is kept of a dog."""

    code: str
    name: str
    sex: str
    specialty: str
    name_en: str = ""
    breed: str = ""
    born_on: date | None = None
    microchip: str | None = None
    status: str = DogStatus.ACTIVE
    fitness: str = Fitness.FIT
    weight_kg: Decimal | None = None
    notes: str = ""
    handler_id: int | None = None


def add_dog(values: DogValues, *, actor: Actor) -> Dog:
    """Add a dog to the unit.

    Raises:
        BadInput: a field is wrong; it is named.
        Conflict: the code or the microchip is another dog's, also when two add it at once.
    """
    return _keep(Dog(), values, actor)


def change_dog(dog_id: int, values: DogValues, *, actor: Actor, seen: str | None = None) -> Dog:
    """Change what is kept of the dog. Raises as `add_dog` does, and NotFound, Stale."""
    return _keep(get_dog(dog_id), values, actor, seen)


def _keep(dog: Dog, values: DogValues, actor: Actor, seen: str | None = None) -> Dog:
    values = checked(values, CHECKS)
    if values.handler_id not in (None, dog.handler_id):
        handler = db.session.get(Person, values.handler_id)
        if handler is None or not handler.active:
            raise BadInput(_("Choose somebody who is in service."), field="handler_id")
    keep(dog, asdict(values), actor=actor, kind="dog", name=values.name, taken=_TAKEN, seen=seen)
    return dog
