"""Planning: what each service writes, audits, and refuses by the name of its field."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import func, select, text, update

from k9ops.audit.models import AuditEntry
from k9ops.audit.services import COMMAND_LINE
from k9ops.core.db import db
from k9ops.core.errors import BadInput, Conflict, NotFound
from k9ops.kennel.models import Dog
from k9ops.people.models import Person
from k9ops.projects.models import Assignment, Place, Project
from k9ops.projects.scope import EVERYTHING
from k9ops.schedules.errors import DayLocked, DoubleBooked
from k9ops.schedules.locking import lock_day
from k9ops.schedules.models import Attendance, DutyItem, DutySchedule, Shift
from k9ops.schedules.queries import items_of
from k9ops.schedules.services import (
    DAY_NOTE_LIMIT,
    NewItem,
    add_item,
    change_item,
    copy_day,
    mark_attendance,
    note_day,
    plan_day,
    remove_item,
)
from tests.support.unit import DUTY_CHANGES, begin, change_duty, plan, today

TOMORROW = timedelta(days=1)


@pytest.fixture
def day(unit):
    return plan(unit, today(), NewItem(unit.badr, unit.morning, unit.rex, unit.gate, "At dawn"))


@pytest.fixture
def item(day):
    return items_of(EVERYTHING, day)[0].id


def change(table, **values):
    db.session.execute(update(table).values(**values))
    db.session.commit()


def entries(action):
    query = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)
    return db.session.scalars(query).all()


def count(table):
    return db.session.scalar(select(func.count()).select_from(table))


def kept(item_id):
    """The duty as another session sees it."""
    db.session.rollback()
    return db.session.get(DutyItem, item_id, populate_existing=True)


def test_day_is_planned_once_and_audited_once(unit):
    first = plan_day(EVERYTHING, unit.harbour, today(), actor=COMMAND_LINE)
    again = plan_day(unit.manager, unit.harbour, today(), actor=COMMAND_LINE)
    assert again.id == first.id
    (entry,) = entries("schedule.planned")
    assert entry.target_name == f"HRB {today().isoformat()}"


@pytest.mark.parametrize("status", ["completed", "cancelled"])
def test_day_of_a_project_that_is_over_is_refused(unit, status):
    change(Project, status=status)
    with pytest.raises(Conflict) as refused:
        plan_day(EVERYTHING, unit.harbour, today(), actor=COMMAND_LINE)
    assert refused.value.field == "project_id"


@pytest.mark.parametrize(
    "day", [date.min, date(1999, 12, 31), today() + timedelta(days=400), date.max]
)
def test_day_too_far_off_is_refused(unit, day):
    with pytest.raises(BadInput) as refused:
        plan_day(EVERYTHING, unit.harbour, day, actor=COMMAND_LINE)
    assert refused.value.field == "date"
    source = plan(unit, today())
    with pytest.raises(BadInput) as refused:
        copy_day(EVERYTHING, source, day, actor=COMMAND_LINE)
    assert refused.value.field == "to"
    assert count(DutySchedule) == 1


def test_duty_stands_at_the_times_of_its_shift_on_the_units_clock(unit):
    day = plan(unit, date(2026, 3, 1), NewItem(unit.badr, unit.morning),
               NewItem(unit.badr, unit.night))  # fmt: skip
    morning, night = items_of(EVERYTHING, day)
    assert morning.starts_at == datetime(2026, 3, 1, 3, tzinfo=UTC)
    assert night.starts_at == datetime(2026, 3, 1, 19, tzinfo=UTC)
    assert night.ends_at == datetime(2026, 3, 2, 3, tzinfo=UTC)


def test_duty_follows_the_summer_time_of_another_zone(unit, make_app):
    with make_app(unit_timezone="Europe/Berlin").app_context():
        day = plan(unit, date(2026, 3, 28), NewItem(unit.badr, unit.night))
        (night,) = items_of(EVERYTHING, day)
        assert night.ends_at - night.starts_at == timedelta(hours=7)


def wrong_items(unit):
    """Each a field and a value of it that does not fit the harbour's day."""
    return {
        "handler unknown": ("handler_id", 10**6),
        "handler of another project": ("handler_id", unit.farid),
        "manager": ("handler_id", unit.caline),
        "shift unknown": ("shift_id", 10**6),
        "dog unknown": ("dog_id", 10**6),
        "dog unfit": ("dog_id", unit.unfit),
        "dog of another project": ("dog_id", unit.far),
        "place unknown": ("place_id", 10**6),
        "note too long": ("note", "x" * 401),
        "note with a NUL byte": ("note", "a\0b"),
    }


@pytest.mark.parametrize(
    "case",
    ["handler unknown", "handler of another project", "manager", "shift unknown", "dog unknown",
     "dog unfit", "dog of another project", "place unknown", "note too long",
     "note with a NUL byte"],
)  # fmt: skip
def test_wrong_choice_is_refused_by_the_name_of_its_field(unit, day, item, case):
    field, value = wrong_items(unit)[case]
    good = {"handler_id": unit.dalia, "shift_id": unit.evening, "dog_id": unit.luna}
    before = count(AuditEntry)
    with pytest.raises(BadInput) as refused:
        add_item(EVERYTHING, day, NewItem(**good | {field: value}), actor=COMMAND_LINE)
    assert refused.value.field == field
    with pytest.raises(BadInput) as refused:
        change_item(EVERYTHING, item, NewItem(**good | {field: value}), actor=COMMAND_LINE)
    assert refused.value.field == field
    assert (count(DutyItem), count(AuditEntry)) == (1, before)


@pytest.mark.parametrize(
    ("table", "values", "field"),
    [
        (Person, {"active": False}, "handler_id"),
        (Shift, {"active": False}, "shift_id"),
        (Dog, {"status": "retired"}, "dog_id"),
        (Dog, {"fitness": "unfit"}, "dog_id"),
        (Place, {"active": False}, "place_id"),
        (Assignment, {"to_on": date(2020, 6, 1)}, "handler_id"),
    ],
)
def test_choice_that_fits_no_longer_is_refused_when_new_and_kept_when_old(
    unit, day, item, table, values, field
):
    change(table, **values)
    wanted = NewItem(unit.badr, unit.morning, unit.rex, unit.gate, "Corrected")
    tomorrow = plan(unit, today() + TOMORROW)
    with pytest.raises(BadInput) as refused:
        add_item(EVERYTHING, tomorrow, wanted, actor=COMMAND_LINE)
    assert refused.value.field == field
    assert change_item(EVERYTHING, item, wanted, actor=COMMAND_LINE).note == "Corrected"


def test_place_of_another_project_is_refused(unit, day):
    place = Place(project_id=unit.airport, name="المدرج")
    db.session.add(place)
    db.session.commit()
    new = NewItem(unit.dalia, unit.evening, place_id=place.id)
    with pytest.raises(BadInput) as refused:
        add_item(EVERYTHING, day, new, actor=COMMAND_LINE)
    assert refused.value.field == "place_id"


def test_session_goes_on_after_a_refusal_by_the_database(unit, day):
    with pytest.raises(DoubleBooked):
        add_item(EVERYTHING, day, NewItem(unit.badr, unit.morning), actor=COMMAND_LINE)
    assert len(entries("schedule.item_added")) == 1
    add_item(EVERYTHING, day, NewItem(unit.badr, unit.evening), actor=COMMAND_LINE)
    assert len(entries("schedule.item_added")) == 2


def test_change_is_audited_with_what_was_and_what_is(unit, item):
    new = NewItem(unit.badr, unit.evening, None, unit.gate, "At dawn")
    change_item(EVERYTHING, item, new, actor=COMMAND_LINE)
    (entry,) = entries("schedule.item_changed")
    changes = {"shift_id": [unit.morning, unit.evening], "dog_id": [unit.rex, None]}
    assert entry.detail == {"item": item, **changes}
    assert kept(item).starts_at.hour == 11


def test_duty_keeps_its_times_when_its_shift_was_moved_since(unit, item):
    starts_at = kept(item).starts_at
    change(Shift, starts=time(9))
    wanted = NewItem(unit.badr, unit.morning, unit.rex, unit.gate, "Later")
    assert change_item(EVERYTHING, item, wanted, actor=COMMAND_LINE).starts_at == starts_at


def test_another_handler_is_planned_anew(unit, item):
    begin(item)
    mark_attendance(
        EVERYTHING, item, Attendance.REPLACED, replacement_id=unit.dalia, actor=COMMAND_LINE
    )
    change_item(EVERYTHING, item, NewItem(unit.dalia, unit.morning), actor=COMMAND_LINE)
    found = kept(item)
    assert (found.handler_id, found.attendance, found.replacement_id) == (
        unit.dalia, "planned", None,
    )  # fmt: skip


def test_change_into_the_time_of_another_duty_is_refused(unit, day, item):
    add_item(EVERYTHING, day, NewItem(unit.dalia, unit.evening, unit.rex), actor=COMMAND_LINE)
    for handler, dog, field in ((unit.dalia, None, "handler_id"), (unit.badr, unit.rex, "dog_id")):
        new = NewItem(handler, unit.evening, dog)
        with pytest.raises(DoubleBooked) as refused:
            change_item(EVERYTHING, item, new, actor=COMMAND_LINE)
        assert refused.value.field == field
    assert kept(item).shift_id == unit.morning


def test_removed_duty_is_gone_and_audited(unit, day, item):
    assert remove_item(EVERYTHING, item, actor=COMMAND_LINE).id == day
    assert items_of(EVERYTHING, day) == []
    (entry,) = entries("schedule.item_removed")
    assert (entry.detail["item"], entry.detail["handler_id"]) == (item, unit.badr)
    with pytest.raises(NotFound):
        remove_item(EVERYTHING, item, actor=COMMAND_LINE)


@pytest.mark.parametrize("what", ["change", "mark", "remove"])
def test_duty_that_vanishes_meanwhile_is_told(unit, item, what):
    """Somebody else removes it after it was read."""
    loaded = db.session.get_one(DutyItem, item)
    with db.engine.begin() as connection:
        connection.execute(text("DELETE FROM duty_schedule_items WHERE id = :id"), {"id": item})
    assert loaded.note == "At dawn"
    with pytest.raises((Conflict, NotFound)):
        change_duty(what, EVERYTHING, 0, item, NewItem(unit.badr, unit.evening))
    assert count(DutyItem) == 0


def test_attendance_is_noted_and_audited(unit, item):
    begin(item)
    mark_attendance(EVERYTHING, item, Attendance.ABSENT, note=" Ill ", actor=COMMAND_LINE)
    assert (kept(item).attendance, kept(item).note) == ("absent", "Ill")
    mark_attendance(EVERYTHING, item, Attendance.PRESENT, actor=COMMAND_LINE)
    assert (kept(item).attendance, kept(item).note) == ("present", "Ill")
    assert [one.detail["attendance"] for one in entries("schedule.attendance_marked")] == [
        "absent", "present",
    ]  # fmt: skip


def test_what_changes_nothing_is_not_audited(unit, item):
    """So that the audit of a day that was locked meanwhile shows no change after the lock."""
    same = NewItem(unit.badr, unit.morning, unit.rex, unit.gate, "At dawn")
    change_item(EVERYTHING, item, same, actor=COMMAND_LINE)
    mark_attendance(EVERYTHING, item, Attendance.PLANNED, actor=COMMAND_LINE)
    assert entries("schedule.item_changed") == entries("schedule.attendance_marked") == []


@pytest.mark.parametrize("whom", [None, "badr", "farid", "caline", 10**6])
def test_stand_in_must_be_another_handler_of_the_project(unit, item, whom):
    begin(item)
    chosen = getattr(unit, whom) if isinstance(whom, str) else whom
    with pytest.raises(BadInput) as refused:
        mark_attendance(
            EVERYTHING, item, Attendance.REPLACED, replacement_id=chosen, actor=COMMAND_LINE
        )
    assert refused.value.field == "replacement_id"


def test_stand_in_is_forgotten_when_the_handler_came_after_all(unit, item):
    begin(item)
    mark_attendance(
        EVERYTHING, item, Attendance.REPLACED, replacement_id=unit.essam, actor=COMMAND_LINE
    )
    mark_attendance(
        EVERYTHING, item, Attendance.PRESENT, replacement_id=unit.essam, actor=COMMAND_LINE
    )
    assert kept(item).replacement_id is None


@pytest.mark.parametrize("attendance", [Attendance.PRESENT, Attendance.REPLACED])
def test_nobody_came_to_a_duty_that_has_not_begun(unit, attendance):
    tomorrow = plan(unit, today() + TOMORROW, NewItem(unit.badr, unit.morning))
    (duty,) = items_of(EVERYTHING, tomorrow)
    whom = unit.dalia if attendance is Attendance.REPLACED else None
    with pytest.raises(BadInput) as refused:
        mark_attendance(EVERYTHING, duty.id, attendance, replacement_id=whom, actor=COMMAND_LINE)
    assert refused.value.field == "attendance"
    mark_attendance(EVERYTHING, duty.id, Attendance.ABSENT, note="Ill", actor=COMMAND_LINE)
    assert kept(duty.id).attendance == "absent"


def test_duty_that_is_put_off_is_planned_anew(unit, item):
    begin(item)
    mark_attendance(EVERYTHING, item, Attendance.PRESENT, actor=COMMAND_LINE)
    change(Shift, starts=time(23, 59), ends=time(23, 58))
    change_item(EVERYTHING, item, NewItem(unit.badr, unit.night), actor=COMMAND_LINE)
    assert kept(item).attendance == "planned"


def test_day_outside_the_time_of_its_project_is_refused(unit, day):
    change(Project, starts_on=today(), ends_on=today())
    for off in (-TOMORROW, TOMORROW):
        with pytest.raises(BadInput) as refused:
            plan_day(EVERYTHING, unit.harbour, today() + off, actor=COMMAND_LINE)
        assert (refused.value.field, f"{today():%Y}" in refused.value.message) == ("date", True)
        with pytest.raises(BadInput) as refused:
            copy_day(EVERYTHING, day, today() + off, actor=COMMAND_LINE)
        assert refused.value.field == "to"
    assert count(DutySchedule) == 1


def test_note_of_the_day_is_kept_and_audited(unit, day):
    note_day(EVERYTHING, day, " Visit at ten ", actor=COMMAND_LINE)
    note_day(EVERYTHING, day, "Visit at ten", actor=COMMAND_LINE)
    (entry,) = entries("schedule.noted")
    assert entry.detail == {"notes": ["", "Visit at ten"]}
    with pytest.raises(BadInput) as refused:
        note_day(EVERYTHING, day, "x" * (DAY_NOTE_LIMIT + 1), actor=COMMAND_LINE)
    assert refused.value.field == "notes"
    lock_day(EVERYTHING, day, "Counted", actor=COMMAND_LINE)
    with pytest.raises(DayLocked):
        note_day(EVERYTHING, day, "", actor=COMMAND_LINE)
    assert db.session.get_one(DutySchedule, day).notes == "Visit at ten"


def test_copied_day_has_the_duties_without_their_attendance(unit, day, item):
    mark_attendance(EVERYTHING, item, Attendance.ABSENT, actor=COMMAND_LINE)
    done = copy_day(EVERYTHING, day, today() + TOMORROW, actor=COMMAND_LINE)
    (copy,) = items_of(EVERYTHING, done.day.id)
    assert (done.copied, done.left_out) == (1, [])
    assert (copy.handler_id, copy.dog_id, copy.place_id, copy.note, copy.attendance) == (
        unit.badr, unit.rex, unit.gate, "At dawn", "planned",
    )  # fmt: skip
    assert copy.starts_at - kept(item).starts_at == TOMORROW


def test_copy_leaves_out_and_tells_what_does_not_fit(unit, day):
    add_item(EVERYTHING, day, NewItem(unit.dalia, unit.evening, unit.luna), actor=COMMAND_LINE)
    plan(unit, today() + TOMORROW, NewItem(unit.essam, unit.morning, unit.rex))
    db.session.execute(update(Dog).where(Dog.id == unit.luna).values(fitness="unfit"))
    db.session.commit()
    done = copy_day(EVERYTHING, day, today() + TOMORROW, actor=COMMAND_LINE)
    assert [who.name for who, _ in done.left_out] == ["بدر سالم", "داليا نصر"]
    assert len({why for _, why in done.left_out}) == 2
    assert len(items_of(EVERYTHING, done.day.id)) == 1


def test_copy_onto_itself_or_onto_a_locked_day_is_refused(unit, day):
    with pytest.raises(BadInput) as refused:
        copy_day(EVERYTHING, day, today(), actor=COMMAND_LINE)
    assert refused.value.field == "to"
    other = plan(unit, today() + TOMORROW)
    lock_day(EVERYTHING, other, "Counted", actor=COMMAND_LINE)
    with pytest.raises(DayLocked):
        copy_day(EVERYTHING, day, today() + TOMORROW, actor=COMMAND_LINE)


@pytest.mark.parametrize("what", DUTY_CHANGES)
def test_locked_day_refuses_every_service(unit, day, item, what):
    lock_day(EVERYTHING, day, "Counted", actor=COMMAND_LINE)
    before = count(AuditEntry)
    with pytest.raises(DayLocked) as refused:
        change_duty(what, EVERYTHING, day, item, NewItem(unit.dalia, unit.evening))
    assert (refused.value.code, refused.value.status) == ("day_locked", 409)
    assert refused.value.hint
    assert count(AuditEntry) == before
