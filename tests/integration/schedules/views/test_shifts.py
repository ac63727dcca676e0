"""The pages of shifts, by administrator, project manager and handler."""

import pytest
from sqlalchemy import delete

from k9ops.audit.services import COMMAND_LINE
from k9ops.core.db import db
from k9ops.schedules.models import Shift
from k9ops.schedules.shifts import retire_shift
from tests.support.pages import faults, names, send, typed, words_of
from tests.support.unit import plan, today

NOON = {"name": "ظهيرة", "name_en": "Noon", "starts": "11:00", "ends": "15:30"}


def no_shifts():
    db.session.execute(delete(Shift))
    db.session.commit()


def test_administrator_of_a_fresh_unit_sets_up_a_shift_and_plans_for_it(unit, inside, as_amal):
    day = inside(plan, unit, today())
    inside(no_shifts)
    assert 'href="/shifts/new"' in as_amal.get(f"/schedules/{day}?lang=en").text
    assert "No shift has been set up yet" in words_of(as_amal.get("/shifts?lang=en"))
    assert send(as_amal, "/shifts/new", **NOON).status_code == 303
    words = words_of(as_amal.get("/shifts?lang=en"))
    assert "1 shift in use" in words
    assert "11:00–15:30" in words
    assert "Add to Noon" in words_of(as_amal.get(f"/schedules/{day}?lang=en"))


def test_list_stands_in_the_order_of_the_day(unit, as_amal):
    page = as_amal.get("/shifts?lang=en")
    assert names(page.text) == ["Morning", "Evening", "Night"]
    assert "22:00–06:00 until the next day" in words_of(page)
    assert names(as_amal.get("/shifts?lang=en&active=no").text) == []


def test_file_holds_the_shifts_that_the_filters_show(unit, inside, as_amal):
    inside(retire_shift, unit.night, actor=COMMAND_LINE)
    file = as_amal.get("/shifts/export/csv?lang=en&active=yes").data.decode("utf-8-sig")
    assert file.splitlines()[0] == "Name,Name in English,Begins,Ends,State"
    assert [line.split(",")[1:] for line in file.splitlines()[1:]] == [
        ["Morning", "06:00", "14:00", "In use"],
        ["Evening", "14:00", "22:00", "In use"],
    ]


@pytest.mark.parametrize(
    ("field", "value"), [("ends", "11:00"), ("starts", ""), ("starts", "25:00"), ("name", "صباحية")]
)
def test_fault_stands_beside_its_field_and_what_was_typed_stays(unit, as_amal, field, value):
    answer = send(as_amal, "/shifts/new", **NOON | {field: value})
    assert answer.status_code == 422
    assert list(faults(answer.text)) == [field]
    assert typed(answer.text, field) == value


def test_form_of_a_shift_says_that_planned_duties_keep_their_hours(unit, as_amal):
    path = f"/shifts/{unit.night}/edit"
    page = as_amal.get(f"{path}?lang=en")
    assert typed(page.text, "starts") == "22:00"
    assert "Duties that are planned already keep their hours" in words_of(page)
    assert send(as_amal, path, **NOON).status_code == 303
    assert names(as_amal.get("/shifts?lang=en").text) == ["Morning", "Noon", "Evening"]


def test_shift_is_retired_and_reinstated_by_the_list(unit, as_amal):
    send(as_amal, f"/shifts/{unit.night}/retire")
    assert names(as_amal.get("/shifts?lang=en&active=no").text) == ["Night"]
    send(as_amal, f"/shifts/{unit.night}/reinstate")
    assert names(as_amal.get("/shifts?lang=en&active=no").text) == []


def test_who_plans_sees_shifts_and_changes_none_and_handlers_see_none(unit, as_caline, as_badr):
    words = words_of(as_caline.get("/shifts?lang=en"))
    assert "Morning" in words
    assert "New shift" not in words
    assert "Retire" not in words.replace("Retired", "")
    for path in ("new", f"{unit.night}/edit", f"{unit.night}/retire"):
        assert send(as_caline, f"/shifts/{path}", **NOON).status_code == 403
        assert send(as_badr, f"/shifts/{path}", **NOON).status_code == 403
    assert as_badr.get("/shifts").status_code == 403
    assert 'href="/shifts"' not in as_badr.get("/more").text
