"""What all lists of records have in common: sorted by their heads, taken along as files."""

import csv
from datetime import date
from io import BytesIO, StringIO

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select, update

from k9ops.audit.models import AuditEntry
from k9ops.core.db import db
from k9ops.kennel.models import Dog
from k9ops.web import exports
from tests.support.pages import names
from tests.support.unit import add_unit

LISTS = ("people", "dogs", "projects")


@pytest.fixture
def unit(app):
    return add_unit(app)


@pytest.fixture
def page(client_of, amal, unit) -> FlaskClient:
    return client_of(amal)


def rows_of(answer) -> list[list[str]]:
    return list(csv.reader(StringIO(answer.data.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("of", LISTS)
def test_list_is_sorted_by_its_heads_both_ways(page, of):
    up = names(page.get(f"/{of}?sort=name").text)
    assert up == names(page.get(f"/{of}").text) == sorted(up)
    assert names(page.get(f"/{of}?sort=-name").text) == up[::-1]


def test_every_head_of_every_list_sorts(page, app):
    heads = {
        "people": ("name", "work", "since", "active"),
        "dogs": ("name", "specialty", "fitness", "status", "born"),
        "projects": ("name", "status", "days"),
        "users": ("name", "role", "added", "last", "active"),
    }
    for of, known in heads.items():
        every = set(names(page.get(f"/{of}").text))
        for head in known:
            for sign, word in (("", "ascending"), ("-", "descending")):
                text = page.get(f"/{of}?sort={sign}{head}").text
                assert set(names(text)) == every
                assert text.count(f'aria-sort="{word}"') == 1


def test_unknown_head_counts_as_unsorted(page):
    unsorted = names(page.get("/dogs").text)
    for wrong in ("weight", "--name", "name;drop", "%00"):
        assert names(page.get(f"/dogs?sort={wrong}").text) == unsorted


def test_empty_values_stand_last_both_ways(page, app, unit):
    with app.app_context():
        values = {"born_on": date(2020, 1, 1)}
        db.session.execute(update(Dog).where(Dog.id == unit.rex).values(**values))
        db.session.commit()
    for sort in ("born", "-born"):
        assert names(page.get(f"/dogs?sort={sort}").text)[0] == "Rex"


def test_sorting_is_kept_by_the_filters(page):
    text = page.get("/dogs?sort=-name").text
    assert '<option value="-name" selected>' in text
    assert text.count('name="sort"') == 1


def test_one_filter_is_taken_away_by_itself(page):
    text = page.get("/dogs?fitness=unfit&status=active&sort=-name").text
    assert text.count('class="unset"') == 2
    assert 'class="unset" href="/dogs?status=active&amp;sort=-name"' in text


def test_phone_offers_each_order_once_and_the_usual_one_by_nothing(page):
    text = page.get("/people?lang=en").text
    assert '<option value="" selected>Person, ascending</option>' in text
    assert '<option value="-since">In the unit since, descending</option>' in text
    assert text.count("ascending</option>") == text.count("descending</option>") == 4


@pytest.mark.parametrize("of", LISTS)
def test_file_holds_what_the_filters_show_in_their_order(page, of):
    every = rows_of(page.get(f"/{of}/export/csv?sort=-name&lang=en"))
    assert [row[2] for row in every[1:]] == names(page.get(f"/{of}?sort=-name").text)
    one = rows_of(page.get(f"/{of}/export/csv?q={every[1][0]}"))
    assert [row[0] for row in one[1:]] == [every[1][0]]
    sheet = load_workbook(BytesIO(page.get(f"/{of}/export/xlsx?sort=-name").data)).active
    assert [row[2].value for row in sheet.iter_rows(min_row=2)] == [row[2] for row in every[1:]]


def test_file_has_a_name_and_a_type(page):
    answer = page.get("/dogs/export/csv")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="dogs-2')
    assert answer.content_type == "text/csv; charset=utf-8"


def test_file_holds_only_what_the_person_may_see(client_of, caline, badr, unit):
    manager = client_of(caline)
    assert [row[0] for row in rows_of(manager.get("/projects/export/csv"))[1:]] == ["HRB"]
    dogs = [row[0] for row in rows_of(manager.get("/dogs/export/csv"))[1:]]
    assert "K9-004" not in dogs
    for of in LISTS:
        assert client_of(badr).get(f"/{of}/export/csv").status_code == 403


def test_file_is_noted_in_the_trail(page, app, amal):
    page.get("/dogs/export/csv?fitness=unfit&lang=en").get_data()
    with app.app_context():
        query = select(AuditEntry).where(AuditEntry.action == "list.exported")
        entry = db.session.scalars(query).one()
    assert (entry.actor_name, entry.target_id) == (amal.username, "dogs")
    assert entry.detail == {"format": "csv", "filters": {"fitness": "unfit"}}


def test_too_large_a_sheet_leads_back_and_is_not_noted(page, app, monkeypatch):
    monkeypatch.setattr(exports, "MOST_SHEET_ROWS", 2)
    answer = page.get("/dogs/export/xlsx?sort=-name")
    assert answer.location == "/dogs?sort=-name"
    assert "takes at most 2 rows" in page.get(answer.location).text
    with app.app_context():
        query = select(AuditEntry.id).where(AuditEntry.action == "list.exported")
        assert db.session.scalars(query).all() == []


def test_other_kinds_of_files_are_not_there(page):
    assert page.get("/dogs/export/pdf").status_code == 404
