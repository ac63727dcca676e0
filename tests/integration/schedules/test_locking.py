"""Locking: when a day is over, who locked it and why, and opening it again for a time."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError

from k9ops.audit.models import AuditEntry
from k9ops.audit.services import COMMAND_LINE, Actor
from k9ops.core.checks import unit_today
from k9ops.core.clock import read_now
from k9ops.core.db import db
from k9ops.core.errors import BadInput, Conflict, NotFound
from k9ops.notifications.models import Notification
from k9ops.projects.models import Project
from k9ops.projects.scope import EVERYTHING
from k9ops.schedules.errors import DayLocked
from k9ops.schedules.locking import days_to_lock, lock_day, lock_if_over, open_day
from k9ops.schedules.models import Attendance, DutyItem, DutySchedule
from k9ops.schedules.queries import items_of
from k9ops.schedules.services import NewItem, add_item, mark_attendance, plan_day
from tests.support.unit import plan

NIGHTLY = Actor("the nightly lock")
HOUR = timedelta(hours=1)


def now():
    return read_now(db.session())


def make_day(unit, days_ago=0, *ends_in, project=None):
    """A day with a duty for each end, so far from now; its id."""
    handlers = (unit.badr, unit.dalia, unit.essam)
    day = plan(unit, unit_today() - timedelta(days=days_ago), project=project)
    for handler, end in zip(handlers, ends_in, strict=False):
        times = {"starts_at": now() + end - 8 * HOUR, "ends_at": now() + end}
        # By hand: at some hours of the day a shift's own times would meet those of another day.
        db.session.add(
            DutyItem(duty_schedule_id=day, handler_id=handler, shift_id=unit.night, **times)
        )
    db.session.commit()
    return day


def change(table, row_id, **values):
    db.session.execute(update(table).where(table.id == row_id).values(**values))
    db.session.commit()


def fresh(day_id):
    """The day as another session sees it."""
    db.session.rollback()
    return db.session.get_one(DutySchedule, day_id, populate_existing=True)


def entries(action="schedule.locked"):
    query = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)
    return db.session.scalars(query).all()


def count(table):
    return db.session.scalar(select(func.count()).select_from(table))


@pytest.mark.parametrize(
    ("days_ago", "ends_in", "is_over"),
    [
        (1, (), True),
        (0, (), False),
        (-1, (), False),
        (0, (-timedelta(seconds=5),), True),
        (0, (timedelta(minutes=2),), False),
        (1, (timedelta(minutes=2),), False),
        (1, (-timedelta(seconds=5),), True),
        (0, (-HOUR, HOUR), False),
        (0, (-HOUR, -2 * HOUR), True),
        (9, (-9 * 24 * HOUR,), True),
        (9, (HOUR,), False),
    ],
)
def test_day_is_over_when_its_last_duty_has_ended_or_it_passed_without(
    unit, days_ago, ends_in, is_over
):
    day = make_day(unit, days_ago, *ends_in)
    assert days_to_lock(now()) == [day] * is_over
    assert lock_if_over(day, NIGHTLY) is is_over
    assert fresh(day).state == ("locked" if is_over else "open")
    assert len(entries()) == is_over


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Riyadh"])
def test_day_passes_at_midnight_of_the_units_zone(unit, make_app, zone):
    with make_app(unit_timezone=zone).app_context():
        today = unit_today()
        plan(unit, today)
        yesterday = plan(unit, today - timedelta(days=1))
        assert days_to_lock(now()) == [yesterday]


def test_night_shift_is_over_at_the_minute_of_its_end_in_the_units_zone(unit):
    day = plan(unit, unit_today(), NewItem(unit.badr, unit.night))
    end = datetime.combine(unit_today() + timedelta(days=1), datetime.min.time(), UTC) + 3 * HOUR
    assert items_of(EVERYTHING, day)[0].ends_at == end  # 06:00 in Riyadh
    assert days_to_lock(end - timedelta(seconds=1)) == []
    assert days_to_lock(end) == [day]


def test_missed_days_are_found_oldest_first(unit):
    days = {ago: make_day(unit, ago, -ago * 24 * HOUR) for ago in (2, 5, 1, 4, 3)}
    assert days_to_lock(now()) == [days[ago] for ago in (5, 4, 3, 2, 1)]


def test_automatic_lock_says_who_when_and_why(unit):
    day = make_day(unit, 1)
    before = now()
    assert lock_if_over(day, NIGHTLY)
    locked = fresh(day)
    assert (locked.locked_by, locked.lock_reason) == (NIGHTLY.name, "")
    assert before <= locked.locked_at <= now()
    (entry,) = entries()
    assert (entry.actor_name, entry.target_id) == (NIGHTLY.name, str(day))
    assert entry.detail == {"reason": "the day is over"}


def test_day_is_locked_and_audited_once_when_asked_twice(unit):
    day = make_day(unit, 1)
    assert [lock_if_over(day, NIGHTLY) for _ in range(2)] == [True, False]
    assert len(entries()) == 1


def test_of_many_who_lock_a_day_at_once_one_does(unit, context):
    days = [make_day(unit, ago, -ago * 24 * HOUR) for ago in range(1, 9)]
    start, locked = threading.Barrier(3), []

    def lock_all():
        with context.app_context():
            start.wait()
            locked.extend(day for day in days if lock_if_over(day, NIGHTLY))

    threads = [threading.Thread(target=lock_all) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(locked) == sorted(days)
    assert sorted(int(entry.target_id) for entry in entries()) == sorted(days)
    assert count(Notification) == len(days)


def test_lock_of_a_day_that_is_gone_does_nothing(unit):
    assert lock_if_over(10**6, NIGHTLY) is False


def test_manager_is_told_once_for_each_lock_of_duties_that_nobody_marked(unit):
    day = make_day(unit, 1, -HOUR)
    assert [lock_if_over(day, NIGHTLY) for _ in range(2)] == [True, False]
    (told,) = db.session.scalars(select(Notification))
    assert (told.kind, told.url) == ("schedule.locked_unmarked", f"/schedules/{day}")
    open_day(EVERYTHING, day, "A mistake", now() + HOUR, actor=COMMAND_LINE)
    change(DutySchedule, day, open_until=now() - HOUR)
    assert [lock_if_over(day, NIGHTLY) for _ in range(2)] == [True, False]
    assert count(Notification) == 2


def test_manager_is_not_told_when_every_duty_is_marked(unit):
    day = make_day(unit, 1, -HOUR)
    item = items_of(EVERYTHING, day)[0].id
    mark_attendance(EVERYTHING, item, Attendance.PRESENT, actor=COMMAND_LINE)
    assert lock_if_over(day, NIGHTLY)
    assert count(Notification) == 0


def test_day_of_a_project_without_a_manager_is_locked_all_the_same(unit):
    change(Project, unit.harbour, manager_id=None)
    assert lock_if_over(make_day(unit, 1, -HOUR), NIGHTLY)
    assert count(Notification) == 0


def test_day_is_locked_by_hand_although_it_is_not_over(unit):
    day = make_day(unit, 0, HOUR)
    locked = lock_day(unit.manager, day, " Counted by hand ", actor=Actor("Caline", 3))
    assert (locked.state, locked.locked_by, locked.lock_reason) == (
        "locked", "Caline", "Counted by hand",
    )  # fmt: skip
    (entry,) = entries()
    assert (entry.actor_id, entry.detail) == (3, {"reason": "Counted by hand"})


def test_locked_day_is_not_locked_again(unit):
    day = make_day(unit)
    lock_day(EVERYTHING, day, "Counted", actor=COMMAND_LINE)
    with pytest.raises(DayLocked):
        lock_day(EVERYTHING, day, "Once more", actor=COMMAND_LINE)
    assert fresh(day).lock_reason == "Counted"
    assert len(entries()) == 1


@pytest.mark.parametrize("reason", ["", "  ", "no", "x" * 301, "a\0bcd"])
def test_lock_and_opening_need_a_reason(unit, reason):
    day = make_day(unit)
    with pytest.raises(BadInput) as refused:
        lock_day(EVERYTHING, day, reason, actor=COMMAND_LINE)
    assert refused.value.field == "reason"
    lock_day(EVERYTHING, day, "Counted", actor=COMMAND_LINE)
    with pytest.raises(BadInput) as refused:
        open_day(EVERYTHING, day, reason, now() + HOUR, actor=COMMAND_LINE)
    assert refused.value.field == "reason"
    assert fresh(day).state == "locked"


@pytest.mark.parametrize("offset", [-HOUR, timedelta(0), 31 * 24 * HOUR + HOUR])
def test_opening_ends_in_the_next_month(unit, offset):
    day = make_day(unit)
    lock_day(EVERYTHING, day, "Counted", actor=COMMAND_LINE)
    with pytest.raises(BadInput) as refused:
        open_day(EVERYTHING, day, "A mistake", now() + offset, actor=COMMAND_LINE)
    assert refused.value.field == "until"


def test_only_a_locked_day_of_the_unit_is_opened(unit):
    day = make_day(unit)
    with pytest.raises(Conflict) as refused:
        open_day(EVERYTHING, day, "A mistake", now() + HOUR, actor=COMMAND_LINE)
    assert refused.value.code == "not_locked"
    with pytest.raises(NotFound):
        open_day(EVERYTHING, 10**6, "A mistake", now() + HOUR, actor=COMMAND_LINE)


def test_opened_day_takes_changes_until_its_time_and_is_locked_after_it(unit):
    day = make_day(unit, 1, -HOUR)
    assert lock_if_over(day, NIGHTLY)
    until = now() + HOUR
    opened = open_day(EVERYTHING, day, "Badr was there", until, actor=Actor("Amal", 1))
    assert (opened.state, opened.unlocked_by, opened.unlock_reason, opened.open_until) == (
        "open", "Amal", "Badr was there", until,
    )  # fmt: skip
    (entry,) = entries("schedule.unlocked")
    assert entry.detail == {"reason": "Badr was there", "until": until.isoformat()}
    item = items_of(EVERYTHING, day)[0].id
    mark_attendance(EVERYTHING, item, Attendance.PRESENT, actor=COMMAND_LINE)
    assert (days_to_lock(now()), lock_if_over(day, NIGHTLY)) == ([], False)
    assert days_to_lock(until) == [day]
    change(DutySchedule, day, open_until=now() - timedelta(seconds=1))
    assert lock_if_over(day, NIGHTLY)
    assert fresh(day).open_until is None
    assert len(entries()) == 2


def test_opened_day_may_be_locked_by_hand_before_its_time(unit):
    day = make_day(unit, 1)
    lock_if_over(day, NIGHTLY)
    open_day(EVERYTHING, day, "A mistake", now() + HOUR, actor=COMMAND_LINE)
    assert lock_day(EVERYTHING, day, "Done", actor=COMMAND_LINE).open_until is None


REPLACEMENTS = {
    "duty": "INSERT OR REPLACE INTO duty_schedule_items"
    " (id, duty_schedule_id, handler_id, shift_id, starts_at, ends_at, attendance, note)"
    " SELECT id, :other, handler_id, shift_id, starts_at, ends_at, attendance, 'x'"
    " FROM duty_schedule_items WHERE duty_schedule_id = :day",
    "duty by an update": "UPDATE OR REPLACE duty_schedule_items SET id ="
    " (SELECT id FROM duty_schedule_items WHERE duty_schedule_id = :day)"
    " WHERE duty_schedule_id = :other",
    "day": "INSERT OR REPLACE INTO duty_schedules"
    " (id, project_id, date, state, notes, created_by, created_at)"
    " SELECT id, project_id, date, 'open', '', created_by, created_at"
    " FROM duty_schedules WHERE id = :day",
    "day by its date": "UPDATE OR REPLACE duty_schedules SET date ="
    " (SELECT date FROM duty_schedules WHERE id = :day) WHERE id = :other",
}


@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize("what", REPLACEMENTS)
def test_replace_does_not_pass_the_lock(unit, what):
    """It removes rows without the triggers of DELETE."""
    day, other = make_day(unit, 1, -HOUR), make_day(unit, 2, -24 * HOUR)
    lock_if_over(day, NIGHTLY)
    statement = REPLACEMENTS[what]
    given = {name: value for name, value in (("day", day), ("other", other)) if name in statement}
    with db.engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")  # as other programs have it
        with pytest.raises(IntegrityError, match="day_locked"):
            connection.execute(text(statement), given)


def test_day_planned_again_after_its_lock_is_the_locked_one(unit):
    day = make_day(unit, 1)
    lock_if_over(day, NIGHTLY)
    yesterday = unit_today() - timedelta(days=1)
    again = plan_day(EVERYTHING, unit.harbour, yesterday, actor=COMMAND_LINE)
    assert (again.id, again.state) == (day, "locked")
    with pytest.raises(DayLocked):
        add_item(EVERYTHING, day, NewItem(unit.badr, unit.morning), actor=COMMAND_LINE)
