"""Adding and changing people."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from k9ops.accounts.queries import find_user
from k9ops.audit.models import AuditEntry
from k9ops.audit.services import COMMAND_LINE
from k9ops.core.db import db
from k9ops.core.errors import BadInput, Conflict, NotFound
from k9ops.people.models import Person
from k9ops.people.queries import free_accounts, person_id_of_account
from k9ops.people.services import PersonValues, add_person, change_person
from tests.support.unit import today

HANA = PersonValues(number="P-900", name="هناء سعيد", work="handler", name_en="Hana Said")


@pytest.fixture(autouse=True)
def in_context(context, unit):
    return context


def entries(action):
    query = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)
    return list(db.session.scalars(query))


def test_person_is_kept_and_audited_when_added():
    added = add_person(replace(HANA, name="  هناء   سعيد ", phone="+966 1"), actor=COMMAND_LINE)
    assert (added.name, added.active) == ("هناء سعيد", True)
    (entry,) = entries("person.added")
    assert (entry.target_id, entry.target_name) == (str(added.id), "هناء سعيد")
    assert entry.detail["phone"] == [None, "+966 1"]


def test_audit_tells_before_and_after_when_a_person_is_changed():
    added = add_person(HANA, actor=COMMAND_LINE)
    later = replace(HANA, work="trainer", hired_on=date(2021, 3, 4), active=False)
    change_person(added.id, later, actor=COMMAND_LINE)
    (entry,) = entries("person.changed")
    assert entry.detail == {
        "work": ["handler", "trainer"],
        "hired_on": [None, "2021-03-04"],
        "active": [True, False],
    }


def test_nothing_is_audited_when_nothing_changed():
    added = add_person(HANA, actor=COMMAND_LINE)
    change_person(added.id, HANA, actor=COMMAND_LINE)
    assert entries("person.changed") == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", ""),
        ("number", "1" * 33),
        ("name", " \t "),
        ("name", "Hana\0"),
        ("name", "H" * 201),
        ("name", "Ha\ud800na"),
        ("name_en", "H" * 201),
        ("phone", "1" * 41),
        ("work", "pilot"),
        ("hired_on", today() + timedelta(days=1)),
        ("user_id", 4_000),
    ],
)
def test_field_at_fault_is_named_and_nothing_is_kept(field, value):
    with pytest.raises(BadInput) as refused:
        add_person(replace(HANA, **{field: value}), actor=COMMAND_LINE)
    assert refused.value.field == field
    assert entries("person.added") == []


def test_number_of_another_person_is_refused(unit):
    with pytest.raises(Conflict) as refused:
        add_person(replace(HANA, number="P-001"), actor=COMMAND_LINE)
    assert refused.value.field == "number"
    added = add_person(HANA, actor=COMMAND_LINE)
    with pytest.raises(Conflict) as refused:
        change_person(added.id, replace(HANA, number="P-002"), actor=COMMAND_LINE)
    assert refused.value.field == "number"
    assert db.session.get(Person, added.id).number == "P-900"


def test_account_of_another_person_is_refused_and_not_offered(unit):
    badr = find_user("badr").id
    with pytest.raises(Conflict) as refused:
        add_person(replace(HANA, user_id=badr), actor=COMMAND_LINE)
    assert refused.value.field == "user_id"
    assert [user.username for user in free_accounts()] == ["amal"]
    assert [user.username for user in free_accounts(unit.badr)] == ["amal", "badr"]


def test_person_signs_in_with_the_account_when_it_is_linked():
    amal = find_user("amal").id
    added = add_person(replace(HANA, user_id=amal), actor=COMMAND_LINE)
    assert person_id_of_account(amal) == added.id


def test_person_who_is_not_there_is_not_changed():
    with pytest.raises(NotFound):
        change_person(4_000, HANA, actor=COMMAND_LINE)


def test_one_of_several_gets_the_number_when_they_add_it_at_once(app):
    def add(turn):
        with app.app_context():
            try:
                return add_person(replace(HANA, name=f"Hana {turn}"), actor=COMMAND_LINE).id
            except Conflict as error:
                return error.field

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(add, range(4)))
    assert sorted(map(str, answers))[1:] == ["number"] * 3
    assert len(entries("person.added")) == 1
