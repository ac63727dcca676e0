"""What the database itself refuses, whoever writes: double booking, and changes of locked days."""

import threading
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from k9ops.audit.services import COMMAND_LINE
from k9ops.core.db import db
from k9ops.core.errors import Conflict
from k9ops.projects.scope import EVERYTHING
from k9ops.schedules.errors import DayLocked, DoubleBooked
from k9ops.schedules.locking import lock_day
from k9ops.schedules.models import Attendance
from k9ops.schedules.services import NewItem, add_item, change_item, mark_attendance
from tests.support.processes import wait_until
from tests.support.unit import plan, today

BOOK = """
INSERT INTO duty_schedule_items
    (duty_schedule_id, handler_id, dog_id, shift_id, starts_at, ends_at, attendance, note)
SELECT duty_schedule_id, :handler, :dog, shift_id, starts_at, ends_at, 'planned', ''
FROM duty_schedule_items WHERE id = :like
"""


def only_item(day_id):
    query = text("SELECT id FROM duty_schedule_items WHERE duty_schedule_id = :day")
    with db.engine.connect() as connection:
        return connection.execute(query, {"day": day_id}).scalar_one()


def run_sql(statement, **values):
    with db.engine.begin() as connection:
        return connection.execute(text(statement), values)


def stored(instant):
    """An instant as this database keeps it."""
    on_sqlite = db.engine.dialect.name == "sqlite"
    return instant.strftime("%Y-%m-%d %H:%M:%S.%f") if on_sqlite else instant


@pytest.fixture
def day(unit):
    return plan(unit, today(), NewItem(unit.badr, unit.morning, unit.rex))


def test_handler_is_not_booked_twice_at_a_time(unit, day):
    with pytest.raises(DoubleBooked) as refused:
        add_item(EVERYTHING, day, NewItem(unit.badr, unit.morning), actor=COMMAND_LINE)
    assert refused.value.field == "handler_id"
    add_item(EVERYTHING, day, NewItem(unit.badr, unit.evening), actor=COMMAND_LINE)


def test_dog_is_not_booked_twice_at_a_time(unit, day):
    with pytest.raises(DoubleBooked) as refused:
        add_item(EVERYTHING, day, NewItem(unit.dalia, unit.morning, unit.rex), actor=COMMAND_LINE)
    assert refused.value.field == "dog_id"


def test_night_shift_ends_where_the_next_morning_begins(unit):
    night = plan(unit, today() - timedelta(days=1), NewItem(unit.badr, unit.night, unit.rex))
    plan(unit, today(), NewItem(unit.badr, unit.morning, unit.rex))
    longer = "UPDATE duty_schedule_items SET ends_at = :late WHERE id = :item"
    late = datetime.combine(today(), time(6, 1), UTC)  # one minute past 9 in Riyadh
    with pytest.raises(IntegrityError, match="ex_duty_schedule_items_handler"):
        run_sql(longer, late=stored(late), item=only_item(night))


def test_absent_handler_frees_the_time_and_a_stand_in_takes_it(unit):
    day = plan(unit, today() - timedelta(days=1), NewItem(unit.badr, unit.morning, unit.rex))
    item = only_item(day)
    mark_attendance(EVERYTHING, item, Attendance.ABSENT, actor=COMMAND_LINE)
    other = add_item(
        EVERYTHING, day, NewItem(unit.dalia, unit.morning, unit.rex), actor=COMMAND_LINE
    )
    with pytest.raises(DoubleBooked):
        mark_attendance(
            EVERYTHING, item, Attendance.REPLACED, replacement_id=unit.dalia, actor=COMMAND_LINE
        )
    with pytest.raises(DoubleBooked):
        mark_attendance(EVERYTHING, item, Attendance.PRESENT, actor=COMMAND_LINE)
    mark_attendance(
        EVERYTHING, other.id, Attendance.REPLACED, replacement_id=unit.essam, actor=COMMAND_LINE
    )
    add_item(EVERYTHING, day, NewItem(unit.dalia, unit.morning), actor=COMMAND_LINE)


@pytest.mark.parametrize("whom", ["handler", "dog"])
def test_sql_cannot_book_twice(unit, day, whom):
    values = {"handler": unit.badr, "dog": None} if whom == "handler" else {"handler": unit.dalia}
    with pytest.raises(IntegrityError, match=f"ex_duty_schedule_items_{whom}"):
        run_sql(BOOK, **{"dog": unit.rex} | values, like=only_item(day))


def test_of_two_who_book_a_dog_at_once_one_is_refused(unit, day, context):
    evening = plan(unit, today(), NewItem(unit.badr, unit.evening))
    like = max(
        row.id
        for row in run_sql(
            "SELECT id FROM duty_schedule_items WHERE duty_schedule_id = :d", d=evening
        )
    )
    answers, start = [], threading.Barrier(2)

    def book(handler):
        with context.app_context():
            start.wait()
            try:
                run_sql(BOOK, handler=handler, dog=unit.luna, like=like)
                answers.append("booked")
            except IntegrityError as error:
                answers.append("refused" if "ex_duty_schedule_items_dog" in str(error) else error)

    threads = [threading.Thread(target=book, args=(one,)) for one in (unit.dalia, unit.essam)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["booked", "refused"]


@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize(
    ("starts", "ends"),
    [
        ("T07:00:00", "T09:00:00"),
        (" 14:00:00", " 22:00:00"),
        (" 14:00:00.000000", " 22:00:00.000"),
        (" 14:00:00.000000", " 24:30:00.000000"),
    ],
)
def test_sqlite_takes_no_time_written_otherwise_than_it_keeps_them(unit, day, starts, ends):
    """It compares them as texts, so one written otherwise would pass beside a booking."""
    statement = "UPDATE duty_schedule_items SET starts_at = :starts, ends_at = :ends"
    with pytest.raises(IntegrityError, match="time_text"):
        run_sql(statement, starts=f"{today()}{starts}", ends=f"{today()}{ends}")
    run_sql(statement, starts=f"{today()} 14:00:00.000000", ends=f"{today()} 21:59:59.999999")


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_change_that_gave_way_to_another_is_told_as_a_conflict(unit, day, context):
    """The database ends one of two transactions that wait for each other."""
    item, answers = only_item(day), []

    def plan_otherwise():
        with context.app_context():
            new = NewItem(unit.dalia, unit.morning, unit.luna)
            with pytest.raises(Conflict) as refused:
                change_item(EVERYTHING, item, new, actor=COMMAND_LINE)
            answers.append(refused.value.code)

    with db.engine.begin() as connection:
        hold = "SELECT FROM {} WHERE id = :id FOR UPDATE"
        connection.execute(text(hold.format("dogs")), {"id": unit.luna})
        planner = threading.Thread(target=plan_otherwise)
        planner.start()
        wait_until(_somebody_waits_for_a_row, 20)  # the planner holds Dalia and waits for Luna
        connection.execute(text(hold.format("people")), {"id": unit.dalia})
    planner.join()
    assert answers == ["changed"]


def _somebody_waits_for_a_row() -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with db.engine.connect() as connection:
        mine = connection.execute(text(f"{waiting} AND datname = current_database()"))
        return mine.scalar() > 0


LOCKED_CHANGES = {
    "insert": BOOK,
    "update": "UPDATE duty_schedule_items SET note = 'x' WHERE id = :like",
    "delete": "DELETE FROM duty_schedule_items WHERE id = :like",
    "move away": "UPDATE duty_schedule_items SET duty_schedule_id = :other WHERE id = :like",
    "day": "UPDATE duty_schedules SET notes = 'x' WHERE id = :day",
    "day opened without a reason": "UPDATE duty_schedules SET state = 'open' WHERE id = :day",
    "day deleted": "DELETE FROM duty_schedules WHERE id = :day",
}


@pytest.mark.parametrize("change", LOCKED_CHANGES)
def test_sql_cannot_change_a_locked_day(unit, day, change):
    other = plan(unit, today() + timedelta(days=1))
    lock_day(EVERYTHING, day, "Counted", actor=COMMAND_LINE)
    given = {"handler": unit.dalia, "dog": None, "like": only_item(day), "day": day, "other": other}
    statement = LOCKED_CHANGES[change]
    with pytest.raises(IntegrityError, match="day_locked"):
        run_sql(
            statement, **{name: value for name, value in given.items() if f":{name}" in statement}
        )


def test_sql_cannot_move_a_duty_into_a_locked_day(unit, day):
    other = plan(unit, today() + timedelta(days=1), NewItem(unit.dalia, unit.morning))
    lock_day(EVERYTHING, day, "Counted", actor=COMMAND_LINE)
    statement = "UPDATE duty_schedule_items SET duty_schedule_id = :day WHERE id = :item"
    with pytest.raises(IntegrityError, match="day_locked"):
        run_sql(statement, day=day, item=only_item(other))


def test_duty_written_at_the_moment_of_the_lock_waits_for_it(unit, day, context, database_kind):
    """Either the duty stands before the lock, or it is refused; never after it."""
    item = only_item(day)
    outcome = []

    def write():
        with context.app_context():
            try:
                run_sql("UPDATE duty_schedule_items SET note = 'late' WHERE id = :item", item=item)
                outcome.append("written")
            except IntegrityError:
                outcome.append("refused")

    with db.engine.begin() as connection:
        connection.execute(
            text("UPDATE duty_schedules SET state = 'locked' WHERE id = :d"), {"d": day}
        )
        writer = threading.Thread(target=write)
        writer.start()
        writer.join(0.3)
        assert writer.is_alive(), "it did not wait"
    writer.join()
    assert outcome == ["refused"]


def test_service_says_that_the_day_is_locked(unit, day):
    lock_day(EVERYTHING, day, "Counted", actor=COMMAND_LINE)
    with pytest.raises(DayLocked):
        add_item(EVERYTHING, day, NewItem(unit.dalia, unit.morning), actor=COMMAND_LINE)
    with pytest.raises(DayLocked):
        mark_attendance(EVERYTHING, only_item(day), Attendance.PRESENT, actor=COMMAND_LINE)
