"""A form that was opened before somebody else's change writes over nothing unseen."""

from concurrent.futures import ThreadPoolExecutor
from datetime import time

import pytest
from sqlalchemy import update

from k9ops.audit.services import COMMAND_LINE
from k9ops.core.db import db
from k9ops.core.seen import Stale, digest_of
from k9ops.kennel.models import Dog
from k9ops.people.models import Person
from k9ops.projects.models import Place, Project
from k9ops.projects.scope import EVERYTHING
from k9ops.projects.services import PlaceValues, change_place
from k9ops.schedules.models import DutyItem, Shift
from k9ops.schedules.queries import items_of
from k9ops.schedules.services import NewItem
from tests.support.pages import fields_of, send, words_of
from tests.support.unit import add_unit, plan, today


@pytest.fixture
def unit(app):
    return add_unit(app)


@pytest.fixture
def item(app, unit):
    with app.app_context():
        day = plan(unit, today(), NewItem(unit.badr, unit.morning, unit.rex, unit.gate, "At dawn"))
        return items_of(EVERYTHING, day)[0].id


#: The form; what somebody else changes meanwhile; what is typed; how the page tells the former.
FORMS = {
    "dog": ("/dogs/{0.rex}/edit", Dog, {"fitness": "unfit", "weight_kg": 31.5},
            {"notes": "Eats well"}, ["Fitness now: Unfit", "Weight in kg now: 31.50"]),
    "person": ("/people/{0.essam}/edit", Person, {"active": False}, {"phone": "123"},
               ["In service now: no"]),
    "project": ("/projects/{0.harbour}/edit", Project, {"manager_id": None}, {"notes": "Gate"},
                ["Manager now: nobody"]),
    "place": ("/projects/{0.harbour}/places/{0.gate}/edit", Place, {"name_en": "Main gate"},
              {"name": "باب"}, ["Name in English now: Main gate"]),
    "shift": ("/shifts/{0.night}/edit", Shift, {"ends": time(5)}, {"name_en": "Late"},
              ["Ends now: 05:00"]),
    "duty": ("/schedules/items/{1}/edit", DutyItem, {"dog_id": None}, {"note": "At noon"},
             ["Dog now: none"]),
    "attendance": ("/schedules/items/{1}/attendance", DutyItem, {"attendance": "absent"},
                   {"note": "Came late"}, ["Attendance now: Absent"]),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_form_that_is_stale_is_told_the_present_values_and_saved_the_second_time(
    app, client_of, unit, amal, item, form
):
    path, table, meanwhile, own, told = FORMS[form]
    path, client = path.format(unit, item), client_of(amal)
    shown = fields_of(client.get(f"{path}?lang=en").text)
    key = item if table is DutyItem else int(path.split("/")[-2])
    change(app, table, key, meanwhile)
    refused = send(client, path, **shown | own)
    assert refused.status_code == 422
    words = words_of(refused)
    assert "Somebody changed this in the meantime." in words
    assert [line for line in told if line not in words] == []
    assert kept(app, table, key, meanwhile) == pytest.approx(meanwhile)
    again = fields_of(refused.text)
    assert own.items() <= again.items()
    assert send(client, path, **again).status_code == 303
    assert kept(app, table, key, own) == own


def test_what_the_row_has_already_is_saved_twice_in_peace(client_of, unit, amal):
    client, path = client_of(amal), f"/dogs/{unit.rex}/edit"
    sent = fields_of(client.get(path).text) | {"notes": "Eats well"}
    assert [send(client, path, **sent).status_code for _ in range(2)] == [303, 303]


def test_attendance_noted_meanwhile_is_not_forgotten_unseen(app, client_of, unit, amal, item):
    client, path = client_of(amal), f"/schedules/items/{item}/edit"
    shown = fields_of(client.get(path).text)
    change(app, DutyItem, item, {"attendance": "present"})
    refused = send(client, path, **shown | {"handler_id": unit.dalia})
    assert refused.status_code == 422
    assert "Present This is forgotten when another handler is chosen." in words_of(refused)
    assert kept(app, DutyItem, item, {"attendance": ""}) == {"attendance": "present"}
    assert send(client, path, **fields_of(refused.text)).status_code == 303
    assert kept(app, DutyItem, item, {"attendance": ""}) == {"attendance": "planned"}


def test_fault_of_a_field_keeps_what_the_form_had_seen(app, client_of, unit, amal):
    client, path = client_of(amal), f"/dogs/{unit.rex}/edit"
    shown = fields_of(client.get(path).text)
    change(app, Dog, unit.rex, {"fitness": "unfit"})
    wrong = fields_of(send(client, path, **shown | {"name": ""}).text)
    assert wrong["seen"] == shown["seen"]
    assert send(client, path, **wrong | {"name": "ركس"}).status_code == 422
    assert kept(app, Dog, unit.rex, {"fitness": ""}) == {"fitness": "unfit"}


def test_one_of_several_is_saved_when_they_saw_the_same_and_save_at_once(app, unit):
    with app.app_context():
        seen = digest_of(db.session.get_one(Place, unit.gate), ["name", "name_en"])

    def save(turn):
        with app.app_context():
            values = PlaceValues(f"باب {turn}")
            try:
                change_place(unit.harbour, unit.gate, values, actor=COMMAND_LINE, seen=seen)
            except Stale:
                return "stale"
            return "saved"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(save, range(4))) == ["saved", "stale", "stale", "stale"]


def change(app, table, key, values):
    with app.app_context():
        db.session.execute(update(table).where(table.id == key).values(**values))
        db.session.commit()


def kept(app, table, key, names):
    with app.app_context():
        row = db.session.get_one(table, key)
        return {name: getattr(row, name) for name in names}
