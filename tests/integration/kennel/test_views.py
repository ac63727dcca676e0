"""The pages of dogs, by administrator, project manager and handler."""

import pytest

from k9ops.core.db import db
from k9ops.kennel.models import Dog
from tests.support.pages import faults, names, send, typed

SHIHAB = {
    "code": "K9-900", "name": "شهاب", "name_en": "Shihab", "sex": "male",
    "specialty": "explosives", "status": "active", "fitness": "fit",
}  # fmt: skip


def test_administrator_sees_every_dog_and_how_fit_they_are(client_of, unit, amal):
    page = client_of(amal).get("/dogs?lang=en").text
    assert names(page) == ["Barq", "Luna", "Rex", "Sahm"]
    assert "4 dogs on duty: Fit 3, Unfit 1" in page


def test_manager_sees_only_dogs_of_their_projects(client_of, unit, caline):
    client = client_of(caline)
    page = client.get("/dogs?lang=en").text
    assert names(page) == ["Luna", "Rex", "Sahm"]
    assert "3 dogs on duty" in page
    assert "New dog" not in page
    assert client.get(f"/dogs/{unit.rex}").status_code == 200
    assert client.get(f"/dogs/{unit.far}").status_code == 404
    for path in ("/dogs/new", f"/dogs/{unit.rex}/edit"):
        assert client.get(path).status_code == 403
        assert send(client, path, **SHIHAB).status_code == 403


def test_manager_is_led_to_a_handler_only_when_they_may_see_them(app, client_of, unit, caline):
    client = client_of(caline)
    assert f'href="/people/{unit.badr}"' in client.get(f"/dogs/{unit.rex}").text
    with app.app_context():
        db.session.get(Dog, unit.rex).handler_id = unit.farid
        db.session.commit()
    page = client.get(f"/dogs/{unit.rex}?lang=en").text
    assert "Farid Aoun" in page
    assert f'href="/people/{unit.farid}"' not in page


def test_handler_is_led_to_no_dogs(client_of, unit, badr):
    client = client_of(badr)
    assert 'href="/dogs"' not in client.get("/more").text
    for path in ("/dogs", f"/dogs/{unit.rex}", "/dogs/new"):
        assert client.get(path).status_code == 403


def test_dog_is_added_and_changed_by_the_form(client_of, unit, amal):
    client = client_of(amal)
    more = {"weight_kg": "29.4", "born_on": "2022-04-15", "handler_id": unit.badr, "notes": "<b>"}
    added = send(client, "/dogs/new", **SHIHAB, **more)
    assert added.status_code == 303
    page = client.get(added.location, query_string={"lang": "en"}).text
    for words in ("29.4 kg", "15 April 2022", "Badr Salem", "&lt;b&gt;", "K9-900"):
        assert words in page
    changed = send(client, f"{added.location}/edit", **SHIHAB | {"fitness": "unfit"})
    assert "Unfit" in client.get(changed.location, query_string={"lang": "en"}).text


@pytest.mark.parametrize(
    ("field", "value"),
    [("weight_kg", "heavy"), ("weight_kg", "0"), ("born_on", "2999-01-01"), ("code", "K9-001")],
)
def test_fault_stands_beside_its_field_and_what_was_typed_stays(
    client_of, unit, amal, field, value
):
    answer = send(client_of(amal), "/dogs/new", **SHIHAB | {field: value})
    assert answer.status_code == 422
    assert list(faults(answer.text)) == [field]
    assert typed(answer.text, field) == value
    assert typed(answer.text, "name_en") == "Shihab"


def test_choice_that_was_not_offered_is_a_fault_of_its_field(client_of, unit, amal):
    wrong = SHIHAB | {"handler_id": "4000", "sex": "none", "fitness": ""}
    answer = send(client_of(amal), "/dogs/new", **wrong)
    assert set(faults(answer.text)) == {"handler_id", "sex", "fitness"}
    odd = send(client_of(amal), "/dogs/new", **SHIHAB | {"handler_id": "x"})
    assert set(faults(odd.text)) == {"handler_id"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=rex", ["Rex"]),
        ("q=K9-00", ["Barq", "Luna", "Rex", "Sahm"]),
        ("q=_", []),
        ("fitness=unfit", ["Sahm"]),
        ("specialty=narcotics&status=active", ["Luna"]),
        ("status=retired", []),
    ],
)
def test_filters_narrow_the_list(client_of, unit, amal, query, found):
    page = client_of(amal).get(f"/dogs?lang=en&{query}").text
    assert names(page) == found
    assert ("No dog matches these filters" in page) == (not found)


def test_microchip_is_found_by_a_part_of_it(client_of, unit, amal):
    client = client_of(amal)
    send(client, "/dogs/new", **SHIHAB, microchip="900 112 004")
    assert names(client.get("/dogs?lang=en&q=112 00").text) == ["Shihab"]
