"""The pages of projects, by administrator, project manager and handler."""

from datetime import date

import pytest
from sqlalchemy import insert, select, update

from k9ops.audit.models import AuditEntry
from k9ops.core.db import db
from k9ops.people.models import Person
from k9ops.projects.models import Assignment, Place, Project
from tests.support.pages import faults, names, send, typed

OASIS = {
    "code": "OAS", "name": "مطار الواحة", "name_en": "Oasis Airport", "status": "active",
    "starts_on": "2026-01-01",
}  # fmt: skip


def only(app, query):
    with app.app_context():
        return db.session.scalars(query).one()


def test_administrator_sees_every_project_with_its_strength(client_of, unit, amal):
    page = client_of(amal).get("/projects?lang=en").text
    assert names(page) == ["Airport", "Harbour"]
    assert "2 projects: Active 2" in page
    assert "Caline Khoury" in page


def test_manager_sees_only_their_own_projects(client_of, unit, caline):
    client = client_of(caline)
    page = client.get("/projects?lang=en").text
    assert names(page) == ["Harbour"]
    assert "1 project: Active 1" in page
    harbour = client.get(f"/projects/{unit.harbour}?lang=en").text
    assert "Badr Salem" in harbour
    assert f"/schedules?project={unit.harbour}" in harbour
    for word in ("Assign a person", "Add the place", "Edit", "End"):
        assert f">{word}<" not in harbour
    assert client.get(f"/projects/{unit.airport}").status_code == 404


def test_manager_sees_a_project_no_longer_when_it_is_another_managers(app, client_of, unit, caline):
    client = client_of(caline)
    with app.app_context():
        db.session.execute(update(Project).values(manager_id=unit.farid))
        db.session.commit()
    assert client.get(f"/projects/{unit.harbour}").status_code == 404
    assert client.get(f"/people/{unit.badr}").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "new",
        "{0}/edit",
        "{0}/people/new",
        "{0}/dogs/new",
        "{0}/assignments/1/end",
        "{0}/places/1/edit",
    ],
)
def test_only_administrators_change_projects(client_of, unit, caline, badr, path):
    path = "/projects/" + path.format(unit.harbour)
    for person in (caline, badr):
        client = client_of(person)
        assert client.get(path).status_code == 403
        assert send(client, path, **OASIS).status_code == 403


def test_handler_is_led_to_no_projects(client_of, unit, badr):
    client = client_of(badr)
    assert 'href="/projects"' not in client.get("/more").text
    for path in ("/projects", f"/projects/{unit.harbour}"):
        assert client.get(path).status_code == 403


def test_project_is_added_and_changed_by_the_form(client_of, unit, amal):
    client = client_of(amal)
    added = send(client, "/projects/new", **OASIS, manager_id=unit.caline, notes="day and night")
    assert added.status_code == 303
    page = client.get(added.location, query_string={"lang": "en"}).text
    for words in ("Oasis Airport", "Caline Khoury", "1 January 2026", "day and night"):
        assert words in page
    changed = send(client, f"{added.location}/edit", **OASIS | {"ends_on": "2026-06-30"})
    assert "30 June 2026" in client.get(changed.location, query_string={"lang": "en"}).text


@pytest.mark.parametrize(
    ("field", "value"),
    [("ends_on", "2025-12-31"), ("starts_on", ""), ("code", "HRB"), ("name", "")],
)
def test_fault_stands_beside_its_field_and_what_was_typed_stays(
    client_of, unit, amal, field, value
):
    answer = send(client_of(amal), "/projects/new", **OASIS | {field: value})
    assert answer.status_code == 422
    assert list(faults(answer.text)) == [field]
    assert typed(answer.text, field) == value
    assert typed(answer.text, "name_en") == "Oasis Airport"


def test_places_are_added_closed_and_reopened(app, client_of, unit, amal):
    client = client_of(amal)
    path = f"/projects/{unit.harbour}"
    assert send(client, f"{path}/places", name="الرصيف", name_en="Quay").status_code == 303
    quay = only(app, select(Place).where(Place.name_en == "Quay")).id
    assert "Close \u2068Quay\u2069" in client.get(f"{path}?lang=en").text
    send(client, f"{path}/places/{quay}/close")
    assert "Reopen \u2068Quay\u2069" in client.get(f"{path}?lang=en").text
    send(client, f"{path}/places/{quay}/reopen")
    assert only(app, select(Place).where(Place.id == quay)).active
    assert send(client, f"/projects/{unit.airport}/places/{quay}/close").status_code == 404


def test_name_of_a_place_is_corrected_though_it_is_closed(app, client_of, unit, amal):
    client = client_of(amal)
    path = f"/projects/{unit.harbour}/places/{unit.gate}"
    send(client, f"{path}/close")
    assert send(client, f"{path}/edit", name="الباب", name_en="Door").status_code == 303
    place = only(app, select(Place).where(Place.id == unit.gate))
    assert (place.name, place.name_en, place.active) == ("الباب", "Door", False)
    entry = only(app, select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1))
    assert (entry.action, entry.detail["name_en"]) == ("place.changed", ["Gate", "Door"])
    send(client, f"/projects/{unit.harbour}/places", name="الرصيف")
    taken = send(client, f"{path}/edit", name="الرصيف")
    assert faults(taken.text) == {"name": "The project has a place of this name."}
    elsewhere = f"/projects/{unit.airport}/places/{unit.gate}/edit"
    assert client.get(elsewhere).status_code == 404


def test_place_that_is_there_already_is_told_on_the_page_of_the_project(client_of, unit, amal):
    answer = send(
        client_of(amal), f"/projects/{unit.harbour}/places", name="البوابة", name_en="Main"
    )
    assert answer.status_code == 422
    assert faults(answer.text) == {"name": "The project has a place of this name."}
    assert typed(answer.text, "name_en") == "Main"


def test_person_is_assigned_and_the_time_is_ended(app, client_of, unit, amal):
    client = client_of(amal)
    path = f"/projects/{unit.harbour}"
    form = client.get(f"{path}/people/new?lang=en").text
    assert "Farid Aoun · P-005" in form
    assert "Badr Salem" not in form
    answer = send(client, f"{path}/people/new", person_id=unit.farid, from_on="2026-03-01")
    assert answer.status_code == 303
    made = only(
        app,
        select(Assignment).where(
            Assignment.person_id == unit.farid, Assignment.project_id == unit.harbour
        ),
    )
    wrong = send(client, f"{path}/assignments/{made.id}/end", to_on="2026-02-01")
    assert faults(wrong.text) == {"to_on": "The last day is before the first."}
    send(client, f"{path}/assignments/{made.id}/end", to_on="2026-03-31")
    assert "1 March 2026 to 31 March 2026" in client.get(f"{path}?lang=en").text
    page = client.get(f"/people/{unit.farid}?lang=en").text
    assert page.index("Harbour") < page.index("Airport")


def test_nobody_chosen_is_a_fault_of_the_choice(client_of, unit, amal):
    path = f"/projects/{unit.harbour}/dogs/new"
    answer = send(client_of(amal), path, dog_id="", from_on="2026-03-01")
    assert list(faults(answer.text)) == ["dog_id"]


def test_those_whose_time_is_over_stand_last_and_the_list_is_paged(app, client_of, unit, caline):
    with app.app_context():
        rows = [
            {
                "number": f"N-{n}",
                "name": f"اسم {n:03}",
                "name_en": f"Aziz {n:03}",
                "work": "handler",
            }
            for n in range(30)
        ]
        ids = db.session.scalars(insert(Person).returning(Person.id), rows).all()
        times = {"project_id": unit.harbour, "from_on": date(2021, 1, 1)}
        over = {"to_on": date(2021, 2, 1)}
        db.session.execute(insert(Assignment), [{"person_id": i, **times, **over} for i in ids])
        db.session.commit()
    client = client_of(caline)
    page = client.get(f"/projects/{unit.harbour}?lang=en").text
    assert page.index("Essam Rashid") < page.index("Aziz 000")
    assert "1–25 of 33" in page
    second = client.get(f"/projects/{unit.harbour}?lang=en&page=2").text
    assert "26–33 of 33" in second
    assert "Aziz 029" in second
    assert "Rex" in client.get(f"/projects/{unit.harbour}?lang=en&who=dogs").text


@pytest.mark.parametrize(
    ("query", "found"),
    [("q=air", ["Airport"]), ("q=hrb", ["Harbour"]), ("status=completed", [])],
)
def test_filters_narrow_the_list(client_of, unit, amal, query, found):
    page = client_of(amal).get(f"/projects?lang=en&{query}").text
    assert names(page) == found
    assert ("No project matches these filters" in page) == (not found)
