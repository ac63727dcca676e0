"""Planning days by the pages, and noting who came."""

import re
from datetime import time, timedelta

import pytest
from sqlalchemy import func, select, update

from k9ops.audit.services import COMMAND_LINE
from k9ops.core.db import db
from k9ops.kennel.models import Dog
from k9ops.projects.scope import EVERYTHING
from k9ops.schedules.locking import lock_day
from k9ops.schedules.models import Attendance, DutyItem, DutySchedule, Shift
from k9ops.schedules.queries import items_of
from k9ops.schedules.services import NewItem, mark_attendance
from tests.support.pages import faults, send, words_of
from tests.support.unit import begin, plan, today

DAY = timedelta(days=1)
LOCKED = "This day is locked: nothing of it can be changed."


def kept(kind, key):
    return db.session.get(kind, key)


def count(kind):
    return db.session.scalar(select(func.count()).select_from(kind))


def change(kind, key, **values):
    db.session.execute(update(kind).where(kind.id == key).values(**values))
    db.session.commit()


def mark(item, attendance, **values):
    mark_attendance(EVERYTHING, item, attendance, actor=COMMAND_LINE, **values)


def lock(day, reason="Counted"):
    lock_day(EVERYTHING, day, reason, actor=COMMAND_LINE)


def test_planning_a_day_leads_to_it(unit, as_caline):
    answer = send(as_caline, "/schedules", project_id=unit.harbour, date=today())
    assert (answer.status_code, answer.location) == (303, "/schedules/1")
    assert "Nobody is planned for this shift." in words_of(as_caline.get(answer.location))


@pytest.mark.parametrize("date", ["", "tomorrow", "1999-12-31", "9999-12-31"])
def test_day_that_cannot_be_planned_is_refused_in_words(unit, as_caline, date, inside):
    answer = send(as_caline, "/schedules", project_id=unit.harbour, date=date)
    assert answer.status_code == 303
    assert 'class="banner bad"' in as_caline.get(answer.location).text
    assert inside(count, DutySchedule) == 0


def test_added_duty_stands_in_its_lane(unit, day, as_caline):
    fields = {"handler_id": unit.essam, "shift_id": unit.night, "dog_id": unit.luna,
              "place_id": unit.gate, "note": "Two rounds"}  # fmt: skip
    answer = send(as_caline, f"/schedules/{day}/items/new", **fields)
    assert answer.location == f"/schedules/{day}"
    words = words_of(as_caline.get(answer.location))
    assert "Night 22:00–06:00 1 planned Essam Rashid Planned Luna K9-002 Gate" in words
    assert "Two rounds" in words


def test_form_offers_what_fits_and_marks_who_has_duty(unit, day, as_caline):
    page = as_caline.get(f"/schedules/{day}/items/new?shift={unit.night}").text
    assert f'value="{unit.night}" selected' in page
    assert "Badr Salem (Morning)" in page
    assert "Rex · K9-001 (Morning)" in page
    assert "Farid" not in page
    assert "Sahm" not in page


@pytest.mark.parametrize("whom", ["handler", "dog"])
def test_double_booking_is_told_beside_its_field_and_keeps_what_was_typed(
    unit, day, as_caline, whom, inside
):
    handler = unit.badr if whom == "handler" else unit.dalia
    dog = unit.luna if whom == "handler" else unit.rex
    fields = {"handler_id": handler, "shift_id": unit.morning, "dog_id": dog, "note": "Kept"}
    page = send(as_caline, f"/schedules/{day}/items/new", **fields)
    assert page.status_code == 422
    assert "at that time" in faults(page.text)[f"{whom}_id"]
    assert f'<option value="{handler}" selected>' in page.text
    assert "Kept</textarea>" in page.text
    assert len(inside(items_of, EVERYTHING, day)) == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [("handler_id", ""), ("handler_id", "x"), ("handler_id", 2**40), ("shift_id", ""),
     ("dog_id", "-1"), ("place_id", "999"), ("note", "x" * 401), ("note", "\0")],
)  # fmt: skip
def test_wrong_value_is_told_beside_its_field(unit, day, as_caline, field, value, inside):
    fields = {"handler_id": unit.essam, "shift_id": unit.night, field: value}
    page = send(as_caline, f"/schedules/{day}/items/new", **fields)
    assert page.status_code == 422
    assert field in faults(page.text)
    assert len(inside(items_of, EVERYTHING, day)) == 2


def test_changed_duty_is_kept(unit, day, item, as_caline, inside):
    page = as_caline.get(f"/schedules/items/{item}/edit").text
    assert f'<option value="{unit.rex}" selected>' in page
    fields = {"handler_id": unit.badr, "shift_id": unit.night, "dog_id": unit.luna,
              "place_id": ""}  # fmt: skip
    assert send(as_caline, f"/schedules/items/{item}/edit", **fields).status_code == 303
    found = inside(kept, DutyItem, item)
    assert (found.shift_id, found.dog_id, found.place_id) == (unit.night, unit.luna, None)


def test_duty_is_taken_out_after_a_question(unit, day, item, as_caline, inside):
    assert "Take Badr Salem out of this day?" in words_of(
        as_caline.get(f"/schedules/items/{item}/remove/confirm")
    )
    assert send(as_caline, f"/schedules/items/{item}/remove").status_code == 303
    assert inside(kept, DutyItem, item) is None


def test_dog_that_became_unfit_is_a_conflict_in_words(unit, as_caline, inside):
    tomorrow = inside(plan, unit, today() + DAY, NewItem(unit.badr, unit.morning, unit.rex))
    inside(change, Dog, unit.rex, fitness="unfit")
    words = words_of(as_caline.get(f"/schedules/{tomorrow}"))
    assert "One duty cannot stand as it is planned" in words
    assert "Rex is not fit for duty: choose another dog" in words
    assert "One conflict" in words_of(as_caline.get(f"/schedules?day={today() + DAY}"))


def test_copy_leads_to_the_other_day(unit, day, as_caline):
    answer = send(as_caline, f"/schedules/{day}/copy", to=today() + DAY)
    assert answer.status_code == 303
    assert "2 planned" in words_of(as_caline.get(answer.location))


def test_copy_tells_who_did_not_fit_and_why(unit, day, as_caline, inside):
    inside(plan, unit, today() + DAY, NewItem(unit.essam, unit.morning, unit.rex))
    words = words_of(send(as_caline, f"/schedules/{day}/copy", to=today() + DAY))
    assert "One duty was copied" in words
    assert "One did not fit" in words
    assert "Badr Salem This dog is on another duty at that time." in words


def test_copy_onto_itself_or_a_locked_day_is_told_beside_the_field(unit, day, as_caline, inside):
    inside(lock, inside(plan, unit, today() + DAY))
    for to, words in ((today(), "Choose another day."), (today() + DAY, LOCKED)):
        page = send(as_caline, f"/schedules/{day}/copy", to=to)
        assert page.status_code == 422
        assert words in faults(page.text)["to"]


def test_duties_stand_at_their_own_hours_when_their_shift_was_moved(unit, as_caline, inside):
    day = inside(plan, unit, today() + DAY, NewItem(unit.badr, unit.morning))
    inside(change, Shift, unit.morning, starts=time(8))
    words = words_of(as_caline.get(f"/schedules/{day}"))
    assert "Morning 06:00–14:00 1 planned" in words
    assert "08:00" not in words
    fields = {"handler_id": unit.essam, "shift_id": unit.morning}
    words = words_of(
        as_caline.get(send(as_caline, f"/schedules/{day}/items/new", **fields).location)
    )
    assert "Morning 08:00–14:00 1 planned" in words


def test_note_of_the_day_is_written_by_who_plans_and_read_by_who_stands(
    unit, day, as_caline, as_badr, inside
):
    answer = send(as_caline, f"/schedules/{day}/note", notes="Visit at ten")
    assert (answer.status_code, answer.location) == (303, f"/schedules/{day}#note")
    assert "Visit at ten</textarea>" in as_caline.get(f"/schedules/{day}").text
    assert "Note of the day Visit at ten" in words_of(as_badr.get(f"/schedules/{day}?lang=en"))
    assert send(as_badr, f"/schedules/{day}/note", notes="x").status_code == 403
    page = send(as_caline, f"/schedules/{day}/note", notes="x" * 4001)
    assert page.status_code == 422
    assert "4000" in faults(page.text)["notes"]
    inside(lock, day)
    page = send(as_caline, f"/schedules/{day}/note", notes="x")
    assert page.status_code == 409
    assert LOCKED in words_of(page)


# --- Attendance -----------------------------------------------------------------------------------


def test_one_press_notes_that_the_handler_came(unit, day, item, as_caline, inside):
    inside(begin, item)
    answer = send(as_caline, f"/schedules/items/{item}/present")
    assert answer.location == f"/schedules/{day}#duty-{item}"
    assert inside(kept, DutyItem, item).attendance == Attendance.PRESENT


def test_stand_in_is_noted_with_a_note(unit, day, item, as_caline, inside):
    inside(begin, item)
    fields = {"attendance": "replaced", "replacement_id": unit.essam, "note": "Ill"}
    assert send(as_caline, f"/schedules/items/{item}/attendance", **fields).status_code == 303
    words = words_of(as_caline.get(f"/schedules/{day}"))
    assert "Badr Salem Replaced" in words
    assert "Essam Rashid stood in" in words


def test_stand_in_is_left_away_when_the_handler_was_absent(unit, day, item, as_caline, inside):
    fields = {"attendance": "absent", "replacement_id": unit.essam}
    assert send(as_caline, f"/schedules/items/{item}/attendance", **fields).status_code == 303
    assert inside(kept, DutyItem, item).replacement_id is None


def test_wrong_stand_in_is_told_beside_the_field(unit, day, item, as_caline, inside):
    inside(plan, unit, today(), NewItem(unit.essam, unit.morning))
    for duty in inside(items_of, EVERYTHING, day):
        inside(begin, duty.id)
    path = f"/schedules/items/{item}/attendance"
    assert "Essam Rashid (Morning)" in as_caline.get(path).text
    for person, words in ((None, "Choose who stood in."), (unit.essam, "at that time")):
        page = send(as_caline, path, attendance="replaced", replacement_id=person)
        assert page.status_code == 422
        assert words in faults(page.text)["replacement_id"]


def test_handler_who_is_elsewhere_by_now_cannot_be_marked_present(
    unit, day, item, as_caline, inside
):
    inside(mark, item, Attendance.ABSENT)
    inside(plan, unit, today(), NewItem(unit.badr, unit.morning))
    for duty in inside(items_of, EVERYTHING, day):
        inside(begin, duty.id)
    page = send(as_caline, f"/schedules/items/{item}/attendance", attendance="present")
    assert "at that time" in faults(page.text)["attendance"]
    answer = send(as_caline, f"/schedules/items/{item}/present")
    assert "at that time" in words_of(as_caline.get(answer.location))
    assert inside(kept, DutyItem, item).attendance == Attendance.ABSENT


def test_form_offers_and_takes_only_absence_before_the_duty_begins(unit, as_caline, inside):
    tomorrow = inside(plan, unit, today() + DAY, NewItem(unit.badr, unit.morning))
    path = f"/schedules/items/{inside(items_of, EVERYTHING, tomorrow)[0].id}"
    page = as_caline.get(f"{path}/attendance").text
    assert re.findall(r'<option value="(\w+)"', page) == ["planned", "absent"]
    assert "replacement_id" not in page
    page = send(as_caline, f"{path}/attendance", attendance="present")
    assert "This duty has not begun yet." in faults(page.text)["attendance"]
    answer = send(as_caline, f"{path}/present")
    assert "This duty has not begun yet." in words_of(as_caline.get(answer.location))
    assert send(as_caline, f"{path}/attendance", attendance="absent").status_code == 303


def test_unmarked_duty_of_yesterday_is_told(unit, as_caline, inside):
    yesterday = inside(plan, unit, today() - DAY, NewItem(unit.badr, unit.morning))
    words = words_of(as_caline.get(f"/schedules/{yesterday}"))
    assert "For one duty nobody noted who came" in words
    assert "1 not marked" in words_of(as_caline.get(f"/schedules?day={today() - DAY}"))
