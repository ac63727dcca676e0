"""The pages of people, by administrator, project manager and handler."""

import pytest
from sqlalchemy import insert, select

from k9ops.core.db import db
from k9ops.people.models import Person
from tests.support.pages import faults, names, send, typed

HARBOUR = ["Badr Salem", "Dalia Nasr", "Essam Rashid"]
HANA = {"number": "P-900", "name": "هناء سعيد", "name_en": "Hana Said", "work": "handler"}


def add_many(app, count):
    rows = [
        {"number": f"N-{n:03}", "name": f"اسم {n:03}", "name_en": f"Zaid {n:03}", "work": "office"}
        for n in range(count)
    ]
    with app.app_context():
        db.session.execute(insert(Person), rows)
        db.session.commit()


def person_of(app, number):
    with app.app_context():
        return db.session.scalars(select(Person).where(Person.number == number)).one_or_none()


def test_administrator_sees_everybody_by_the_name_of_the_language(client_of, unit, amal):
    client = client_of(amal)
    assert names(client.get("/people?lang=en").text) == [
        "Badr Salem", "Caline Khoury", "Dalia Nasr", "Essam Rashid", "Farid Aoun",
    ]  # fmt: skip
    arabic = names(client.get("/people?lang=ar").text)
    assert arabic == sorted(arabic)
    assert "فريد عون" in arabic


def test_manager_sees_only_people_of_their_projects(client_of, unit, caline):
    client = client_of(caline)
    page = client.get("/people?lang=en").text
    assert names(page) == HARBOUR
    assert "New person" not in page
    assert client.get(f"/people/{unit.badr}?lang=en").status_code == 200
    for path in (f"/people/{unit.farid}", "/people/4000", "/people/99999999999"):
        assert client.get(path).status_code == 404
    for path in ("/people/new", f"/people/{unit.badr}/edit"):
        assert client.get(path).status_code == 403
        assert send(client, path, **HANA).status_code == 403


def test_handler_is_led_to_no_people(client_of, unit, badr):
    client = client_of(badr)
    assert 'href="/people"' not in client.get("/more").text
    for path in ("/people", f"/people/{unit.badr}", "/people/new"):
        assert client.get(path).status_code == 403


def test_person_page_tells_their_projects_and_dogs(client_of, unit, amal):
    page = client_of(amal).get(f"/people/{unit.badr}?lang=en").text
    for words in ("Harbour", "Rex", "badr", "P-002", "since 1 January 2020"):
        assert words in page


def test_person_page_tells_which_projects_they_manage(client_of, unit, amal):
    page = client_of(amal).get(f"/people/{unit.caline}?lang=en").text
    assert "Manages" in page
    assert "Harbour" in page
    assert "Assigned to no project" not in page


def test_person_is_added_and_shown_when_the_form_is_right(app, client_of, unit, amal):
    client = client_of(amal)
    answer = send(client, "/people/new", **HANA, hired_on="2021-03-04", active="y")
    assert answer.status_code == 303
    page = client.get(answer.location, query_string={"lang": "en"}).text
    assert "Hana Said was saved." in page.replace("\u2068", "").replace("\u2069", "")
    assert "4 March 2021" in page
    assert person_of(app, "P-900").active


def test_faults_stand_beside_their_fields_and_what_was_typed_stays(app, client_of, unit, amal):
    wrong = HANA | {"number": "", "phone": "1" * 50, "hired_on": "31.02.2020"}
    answer = send(client_of(amal), "/people/new", **wrong)
    assert answer.status_code == 422
    assert set(faults(answer.text)) == {"number", "phone", "hired_on"}
    assert typed(answer.text, "phone") == "1" * 50
    assert typed(answer.text, "hired_on") == "31.02.2020"
    assert typed(answer.text, "name_en") == "Hana Said"
    assert "3 fields are wrong" in answer.text
    assert person_of(app, "") is None


def test_taken_number_is_told_beside_it_when_a_person_is_edited(app, client_of, unit, amal):
    client = client_of(amal)
    answer = send(client, f"/people/{unit.essam}/edit", **HANA | {"number": "P-001"})
    assert answer.status_code == 422
    assert faults(answer.text) == {"number": "Another person has this number."}
    assert typed(answer.text, "name_en") == "Hana Said"
    assert person_of(app, "P-004").name_en == "Essam Rashid"


def test_edit_keeps_the_account_and_can_take_it_away(app, client_of, unit, amal):
    client = client_of(amal)
    account = person_of(app, "P-002").user_id
    kept = HANA | {"number": "P-002", "user_id": account}
    assert send(client, f"/people/{unit.badr}/edit", **kept).status_code == 303
    assert (person_of(app, "P-002").user_id, person_of(app, "P-002").active) == (account, False)
    send(client, f"/people/{unit.badr}/edit", **kept | {"user_id": ""})
    assert person_of(app, "P-002").user_id is None


@pytest.mark.parametrize("text", ["\0", "Ha\0na"])
def test_sign_that_no_database_takes_is_a_fault_of_its_field(client_of, unit, amal, text):
    client = client_of(amal)
    assert faults(send(client, "/people/new", **HANA | {"name": text}).text).keys() == {"name"}
    assert client.get("/people", query_string={"q": text}).status_code == 200


def test_list_is_paged_by_numbers_that_keep_the_filters(app, client_of, unit, amal):
    add_many(app, 35)
    client = client_of(amal)
    first = client.get("/people?lang=en&work=office&q=zaid").text
    assert "1–25 of 35" in first
    assert "work=office&amp;q=zaid&amp;page=2" in first
    second = client.get("/people?lang=en&work=office&q=zaid&page=2").text
    assert "26–35 of 35" in second
    assert names(second) == [f"Zaid {n:03}" for n in range(25, 35)]
    for beyond in ("3", "2147483647"):
        assert names(client.get(f"/people?lang=en&work=office&page={beyond}").text) == names(second)
    for odd in ("0", "-1", "99999999999", "x", ""):
        assert len(names(client.get(f"/people?lang=en&page={odd}").text)) == 25


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=DALIA", ["Dalia Nasr"]),
        ("q=p-00", ["Badr Salem", "Caline Khoury", "Dalia Nasr", "Essam Rashid", "Farid Aoun"]),
        ("q=داليا", ["Dalia Nasr"]),
        ("q=%25", []),
        ("work=project_manager", ["Caline Khoury"]),
        ("work=pilot&q=farid", ["Farid Aoun"]),
        ("active=no", []),
    ],
)
def test_filters_narrow_the_list(client_of, unit, amal, query, found):
    page = client_of(amal).get(f"/people?lang=en&{query}").text
    assert names(page) == found
    assert ("Nobody matches these filters" in page) == (not found)


def test_list_of_a_manager_without_projects_says_what_is_missing(app, client_of, caline):
    assert "Nobody is assigned to your projects" in client_of(caline).get("/people?lang=en").text
