"""Adding and changing dogs."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from k9ops.audit.models import AuditEntry
from k9ops.audit.services import COMMAND_LINE
from k9ops.core.db import db
from k9ops.core.errors import BadInput, Conflict
from k9ops.kennel.models import Dog
from k9ops.kennel.services import DogValues, add_dog, change_dog
from k9ops.people.models import Person
from tests.support.unit import today

SHIHAB = DogValues(
    code="K9-900", name="شهاب", sex="male", specialty="explosives", microchip="900 112 004"
)


@pytest.fixture(autouse=True)
def in_context(context, unit):
    return context


def entries(action):
    query = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)
    return list(db.session.scalars(query))


def test_dog_is_kept_and_audited_when_added(unit):
    values = replace(SHIHAB, weight_kg=Decimal("29.4"), handler_id=unit.badr, notes="a\r\nb")
    added = add_dog(values, actor=COMMAND_LINE)
    db.session.expire_all()
    assert (added.weight_kg, added.handler.id, added.notes) == (Decimal("29.40"), unit.badr, "a\nb")
    (entry,) = entries("dog.added")
    assert entry.detail["weight_kg"] == [None, "29.40"]


def test_audit_tells_before_and_after_when_a_dog_is_changed():
    added = add_dog(SHIHAB, actor=COMMAND_LINE)
    change_dog(added.id, replace(SHIHAB, fitness="light"), actor=COMMAND_LINE)
    (entry,) = entries("dog.changed")
    assert entry.detail == {"fitness": ["fit", "light"]}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("code", " "),
        ("name", "x" * 121),
        ("breed", "Malinois\0"),
        ("sex", "none"),
        ("specialty", ""),
        ("status", "sold"),
        ("fitness", "tired"),
        ("born_on", today() + timedelta(days=1)),
        ("microchip", "1" * 33),
        ("weight_kg", Decimal(0)),
        ("weight_kg", Decimal("-3")),
        ("weight_kg", Decimal("0.004")),
        ("weight_kg", Decimal("NaN")),
        ("weight_kg", Decimal("Infinity")),
        ("weight_kg", Decimal(10) ** 30),
        ("notes", "n" * 4001),
        ("handler_id", 4_000),
    ],
)
def test_field_at_fault_is_named_and_nothing_is_kept(field, value):
    with pytest.raises(BadInput) as refused:
        add_dog(replace(SHIHAB, **{field: value}), actor=COMMAND_LINE)
    assert refused.value.field == field
    assert entries("dog.added") == []


@pytest.mark.parametrize(("field", "value"), [("code", "K9-001"), ("microchip", "900 112 004")])
def test_code_and_microchip_of_another_dog_are_refused(field, value):
    add_dog(SHIHAB, actor=COMMAND_LINE)
    other = replace(SHIHAB, code="K9-901", microchip=None)
    with pytest.raises(Conflict) as refused:
        add_dog(replace(other, **{field: value}), actor=COMMAND_LINE)
    assert refused.value.field == field


def test_many_dogs_may_be_without_a_microchip():
    for code in ("K9-901", "K9-902"):
        add_dog(replace(SHIHAB, code=code, microchip=" "), actor=COMMAND_LINE)
    chips = db.session.scalars(select(Dog.microchip).where(Dog.code.like("K9-90%")))
    assert list(chips) == [None, None]


def test_one_of_several_gets_the_microchip_when_they_add_it_at_once(app):
    def add(turn):
        with app.app_context():
            try:
                return add_dog(replace(SHIHAB, code=f"K9-91{turn}"), actor=COMMAND_LINE).id
            except Conflict as error:
                return error.field

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(add, range(4)))
    assert sorted(map(str, answers))[1:] == ["microchip"] * 3


def test_dog_keeps_a_handler_who_left_until_another_is_chosen(unit):
    added = add_dog(replace(SHIHAB, handler_id=unit.badr), actor=COMMAND_LINE)
    db.session.get(Person, unit.badr).active = False
    db.session.commit()
    later = replace(SHIHAB, handler_id=unit.badr, born_on=date(2022, 4, 1))
    assert change_dog(added.id, later, actor=COMMAND_LINE).born_on == date(2022, 4, 1)
    with pytest.raises(BadInput):
        add_dog(replace(SHIHAB, code="K9-902", handler_id=unit.badr), actor=COMMAND_LINE)
