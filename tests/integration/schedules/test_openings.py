"""Opening a locked day again: when that ends, and what the database takes for an opening."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from k9ops.audit.models import AuditEntry
from k9ops.audit.services import COMMAND_LINE, Actor
from k9ops.core.clock import read_now
from k9ops.core.db import db
from k9ops.projects.scope import EVERYTHING
from k9ops.schedules.errors import DayLocked
from k9ops.schedules.locking import days_to_lock, lock_day, lock_if_over, open_day
from k9ops.schedules.models import DutySchedule
from k9ops.schedules.queries import items_of
from k9ops.schedules.services import NewItem
from tests.support.unit import DUTY_CHANGES, change_duty, plan, today

HOUR = timedelta(hours=1)


def now():
    return read_now(db.session())


@pytest.fixture
def day(unit):
    """The day after tomorrow, locked by hand."""
    day = plan(unit, today() + timedelta(days=2), NewItem(unit.badr, unit.morning, unit.rex))
    lock_day(EVERYTHING, day, "Counted", actor=COMMAND_LINE)
    return day


@pytest.fixture
def opened(day):
    open_day(EVERYTHING, day, "Wrong dog", now() + HOUR, actor=Actor("Amal", 1))
    return day


@pytest.fixture
def ended(opened):
    """A day whose opening ended a moment ago."""
    values = {"open_until": now() - timedelta(seconds=1)}
    db.session.execute(update(DutySchedule).where(DutySchedule.id == opened).values(**values))
    db.session.commit()
    return opened


def fresh(day_id):
    db.session.rollback()
    return db.session.get_one(DutySchedule, day_id, populate_existing=True)


def is_refused(statement, **values):
    db.session.rollback()  # a table that is read cannot be emptied
    with pytest.raises(IntegrityError, match="day_locked"), db.engine.begin() as connection:
        connection.execute(text(statement), values)


def test_nothing_of_a_day_is_changed_once_its_opening_has_ended(unit, ended):
    item = items_of(EVERYTHING, ended)[0].id
    for what in DUTY_CHANGES:
        with pytest.raises(DayLocked, match="is over"):
            change_duty(what, EVERYTHING, ended, item, NewItem(unit.dalia, unit.evening))
    with pytest.raises(DayLocked):
        lock_day(EVERYTHING, ended, "Counted", actor=COMMAND_LINE)
    is_refused("UPDATE duty_schedule_items SET note = 'late' WHERE id = :item", item=item)
    is_refused("DELETE FROM duty_schedule_items WHERE id = :item", item=item)
    is_refused("UPDATE duty_schedules SET notes = 'late' WHERE id = :day", day=ended)
    is_refused("UPDATE duty_schedules SET open_until = NULL WHERE id = :day", day=ended)
    is_refused("DELETE FROM duty_schedules WHERE id = :day", day=ended)


def test_day_is_locked_when_its_opening_ends_although_it_is_not_over(unit, ended):
    assert days_to_lock(now()) == [ended]
    assert lock_if_over(ended, Actor("the nightly lock"))
    day = fresh(ended)
    assert (day.state, day.unlocked_by, day.unlock_reason, day.open_until) == (
        "locked", None, None, None,
    )  # fmt: skip
    assert history()[-1] == ("schedule.locked", "its opening has ended")


def test_day_whose_opening_ended_is_opened_again(unit, ended):
    day = open_day(EVERYTHING, ended, "Wrong place", now() + HOUR, actor=Actor("Amal", 1))
    assert (day.state, day.unlock_reason) == ("open", "Wrong place")
    assert history()[1:] == [
        ("schedule.unlocked", "Wrong dog"),
        ("schedule.locked", "its opening has ended"),
        ("schedule.unlocked", "Wrong place"),
    ]


def history():
    query = select(AuditEntry).where(
        AuditEntry.action.in_(["schedule.locked", "schedule.unlocked"])
    )
    entries = db.session.scalars(query.order_by(AuditEntry.id))
    return [(one.action, one.detail["reason"]) for one in entries]


OPEN = "UPDATE duty_schedules SET state = 'open'"
UNTIL = "open_until = '2099-01-01 00:00:00.000000'"
WHO_AND_WHY = "unlocked_by = 'x', unlock_reason = 'x'"
NOT_AN_OPENING = {
    "anything": OPEN,
    "a reason": f"{OPEN}, unlocked_by = 'x', {UNTIL}",
    "a person": f"{OPEN}, unlock_reason = 'x', {UNTIL}",
    "an end": f"{OPEN}, {WHO_AND_WHY}",
    "an end to come": f"{OPEN}, {WHO_AND_WHY}, open_until = '1999-01-01 00:00:00.000000'",
    "its own date": f"{OPEN}, {WHO_AND_WHY}, {UNTIL}, date = '2020-01-01'",
    "its own notes": f"{OPEN}, {WHO_AND_WHY}, {UNTIL}, notes = 'x'",
    "the lock before": f"{OPEN}, {WHO_AND_WHY}, {UNTIL}, locked_by = 'x'",
}


@pytest.mark.parametrize("what", NOT_AN_OPENING)
def test_sql_cannot_open_a_day_without(day, what):
    is_refused(f"{NOT_AN_OPENING[what]} WHERE id = :day", day=day)


def test_sql_cannot_open_a_day_on_the_reason_of_the_opening_before(opened):
    lock_day(EVERYTHING, opened, "Done", actor=COMMAND_LINE)
    is_refused(f"{OPEN}, {UNTIL} WHERE id = :day", day=opened)


@pytest.mark.parametrize(
    "change",
    [UNTIL, "open_until = NULL", "unlocked_by = 'x'", "state = 'locked'",
     "state = 'locked', unlocked_by = NULL, open_until = NULL"],
)  # fmt: skip
def test_sql_cannot_change_an_opening_but_to_end_it_sooner(opened, change):
    is_refused(f"UPDATE duty_schedules SET {change} WHERE id = :day", day=opened)
    sooner = "UPDATE duty_schedules SET notes = 'x', open_until = '1999-01-01 00:00:00.000000'"
    with db.engine.begin() as connection:
        connection.execute(text(sooner))


@pytest.mark.parametrize("database_kind", ["postgresql"])
@pytest.mark.parametrize(
    "tables", ["duty_schedule_items", "duty_schedules CASCADE", "people CASCADE"]
)
def test_tables_with_a_locked_day_cannot_be_emptied(unit, tables, day):
    is_refused(f"TRUNCATE {tables}")
    assert items_of(EVERYTHING, day)
