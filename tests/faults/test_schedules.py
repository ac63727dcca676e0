"""Days of duty while many write at once, while the clock goes on, and while the lock is stopped."""

import json
import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import delete, insert, text, update
from sqlalchemy.exc import IntegrityError

from k9ops.audit.services import COMMAND_LINE
from k9ops.core.checks import unit_today
from k9ops.core.clock import read_now
from k9ops.core.db import db
from k9ops.core.errors import K9Error
from k9ops.jobs.control import cancel_run
from k9ops.projects.models import Assignment
from k9ops.projects.scope import EVERYTHING
from k9ops.schedules.errors import DayLocked, DoubleBooked
from k9ops.schedules.jobs import AUTO_LOCK, auto_lock_schedules
from k9ops.schedules.locking import lock_day, lock_if_over, open_day
from k9ops.schedules.models import Attendance, DutyItem, DutySchedule
from k9ops.schedules.queries import items_of
from k9ops.schedules.services import (
    NewItem,
    add_item,
    change_item,
    mark_attendance,
    remove_item,
)
from tests.faults.conftest import Ledger
from tests.support.processes import Instance, wait_until
from tests.support.unit import LONG_AGO, SmallUnit, add_unit, plan, today

ROUNDS = 15
HOUR = timedelta(hours=1)
#: Pairs of duties that one handler or one dog would have to stand at the same time.
OVERLAPS = """
SELECT one.id, two.id FROM duty_schedule_items one JOIN duty_schedule_items two
    ON one.id < two.id AND one.starts_at < two.ends_at AND two.starts_at < one.ends_at
    AND one.attendance <> 'absent' AND two.attendance <> 'absent'
    AND (coalesce(one.replacement_id, one.handler_id) = coalesce(two.replacement_id, two.handler_id)
        OR one.dog_id = two.dog_id)
"""
#: The audit of each day in its order: what was changed and when it was locked and opened.
HISTORY = """
SELECT target_id, action FROM audit_entries WHERE action LIKE 'schedule.%' ORDER BY id
"""
BOOK = """
INSERT INTO duty_schedule_items
    (duty_schedule_id, handler_id, dog_id, shift_id, starts_at, ends_at, attendance, note)
SELECT :day, :handler, :dog, shift_id, starts_at, ends_at, 'planned', ''
FROM duty_schedule_items WHERE id = :like
"""
STAND_IN = "UPDATE duty_schedule_items SET attendance = 'replaced', replacement_id = :who"


@pytest.fixture
def small(context) -> SmallUnit:
    """The small unit; who handles at the harbour handles at the airport too, and its dogs."""
    unit = add_unit(context)
    for person in (unit.badr, unit.dalia, unit.essam):
        assigned = Assignment(project_id=unit.airport, person_id=person, from_on=LONG_AGO)
        db.session.add(assigned)
    for dog in (unit.rex, unit.luna):
        db.session.add(Assignment(project_id=unit.airport, dog_id=dog, from_on=LONG_AGO))
    db.session.commit()
    return unit


def at_once(app, *calls: Callable[[], object]) -> list[object]:
    """Call all of them at one moment, each in a thread of its own; results or errors in order."""
    start, answers = threading.Barrier(len(calls)), [None] * len(calls)

    def run(number: int, call: Callable[[], object]) -> None:
        with app.app_context():
            start.wait()
            try:
                answers[number] = call()
            except Exception as error:  # noqa: BLE001  (the test reads it)
                answers[number] = error

    threads = [threading.Thread(target=run, args=one) for one in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def rows(sql: str) -> list[tuple[object, ...]]:
    with db.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def execute(sql: str, **values: object) -> None:
    with db.engine.begin() as connection:
        connection.execute(text(sql), values)


def first_item(day: int) -> int:
    return items_of(EVERYTHING, day)[0].id


def replace_handler(item: int, who: int) -> object:
    return mark_attendance(
        EVERYTHING, item, Attendance.REPLACED, replacement_id=who, actor=COMMAND_LINE
    )


def bookings(unit: SmallUnit, whom: str, how: str, days: list[int]) -> list[Callable[[], object]]:
    """Two ways to book the same handler, dog or stand-in at the same time in two projects."""
    if whom == "stand-in":
        items = [first_item(day) for day in days]
        if how == "service":
            return [partial(replace_handler, item, unit.badr) for item in items]
        sql = f"{STAND_IN} WHERE id = :item"
        return [partial(execute, sql, who=unit.badr, item=item) for item in items]
    like, shift = first_item(days[0]), unit.evening
    who = (unit.badr, unit.badr) if whom == "handler" else (unit.badr, unit.essam)
    dog = unit.rex if whom == "dog" else None
    if how == "service":
        return [
            partial(add_item, EVERYTHING, day, NewItem(one, shift, dog), actor=COMMAND_LINE)
            for day, one in zip(days, who, strict=True)
        ]
    return [
        partial(execute, BOOK, day=day, handler=one, dog=dog, like=like)
        for day, one in zip(days, who, strict=True)
    ]


@pytest.mark.parametrize("how", ["service", "sql"])
@pytest.mark.parametrize("whom", ["handler", "dog", "stand-in"])
def test_of_two_who_book_the_same_at_once_one_is_refused(small, context, whom, how):
    yesterday = today() - timedelta(days=1)  # so that it can be noted who stood in
    days = [
        plan(small, yesterday, NewItem(small.dalia, small.evening)),
        plan(small, yesterday, NewItem(small.farid, small.evening), project=small.airport),
    ]
    kept = {first_item(day) for day in days}
    refusal = DoubleBooked if how == "service" else IntegrityError
    for _ in range(ROUNDS):
        answers = at_once(context, *bookings(small, whom, how, days))
        assert [type(one) for one in answers if isinstance(one, Exception)] == [refusal], answers
        assert rows(OVERLAPS) == []
        db.session.execute(delete(DutyItem).where(DutyItem.id.not_in(kept)))
        db.session.execute(update(DutyItem).values(attendance="planned", replacement_id=None))
        db.session.commit()


def test_day_is_not_locked_over_a_duty_that_is_planned_at_that_moment(small, context):
    """Either the duty, which goes on, stands and the day is open, or it is locked without it."""
    for ahead in range(ROUNDS):
        day = plan(small, today() + timedelta(days=ahead), NewItem(small.badr, small.night))
        over = {"starts_at": read_now(db.session()) - 9 * HOUR, "ends_at": read_now(db.session())}
        db.session.execute(update(DutyItem).values(**over))
        db.session.commit()
        new = NewItem(small.dalia, small.night, small.luna)
        added, locked = at_once(
            context,
            partial(add_item, EVERYTHING, day, new, actor=COMMAND_LINE),
            partial(lock_if_over, day, COMMAND_LINE),
        )
        assert isinstance(added, DayLocked if locked else DutyItem), added
        db.session.rollback()
        assert len(items_of(EVERYTHING, day)) == (1 if locked else 2)
        if locked:
            until = read_now(db.session()) + HOUR
            open_day(EVERYTHING, day, "Next round", until, actor=COMMAND_LINE)
        db.session.execute(delete(DutyItem).where(DutyItem.duty_schedule_id == day))
        db.session.commit()


@pytest.mark.parametrize("how", ["service", "sql"])
def test_two_who_swap_the_handlers_of_two_duties_at_once_are_both_refused(small, context, how):
    """Each books whom the other frees; neither waits for the other without end."""
    who = small.badr, small.dalia
    day = plan(small, today(), *(NewItem(one, small.evening) for one in who))
    items = [item.id for item in items_of(EVERYTHING, day)]
    db.session.rollback()
    if how == "service":
        refusal, swap = DoubleBooked, partial(change_item, EVERYTHING, actor=COMMAND_LINE)
        calls = [
            partial(swap, item, NewItem(one, small.evening))
            for item, one in zip(items, reversed(who), strict=True)
        ]
    else:
        refusal = IntegrityError
        sql = "UPDATE duty_schedule_items SET handler_id = :who WHERE id = :item"
        calls = [
            partial(execute, sql, who=one, item=item)
            for item, one in zip(items, reversed(who), strict=True)
        ]
    for _ in range(ROUNDS):
        assert [type(one) for one in at_once(context, *calls)] == [refusal] * 2


class Planner:
    """Changes days at random, as five people would who do not talk to each other."""

    def __init__(self, unit: SmallUnit, days: list[int], seed: int) -> None:
        self.unit, self.days = unit, days
        self.random = random.Random(seed)
        self.done: dict[str, int] = {}

    def run(self) -> dict[str, int]:
        for _ in range(30):
            what = self.random.choice(["add", "add", "change", "mark", "remove", "lock", "open"])
            try:
                getattr(self, what)(self.random.choice(self.days))
                self.done[what] = self.done.get(what, 0) + 1
            except K9Error:
                db.session.rollback()
        return self.done

    def new(self) -> NewItem:
        unit, one_of = self.unit, self.random.choice
        return NewItem(
            one_of([unit.badr, unit.dalia, unit.essam]),
            one_of([unit.morning, unit.evening, unit.night]),
            one_of([None, unit.rex, unit.luna]),
        )

    def item(self, day: int) -> int:
        items = items_of(EVERYTHING, day)
        return self.random.choice(items).id if items else 0

    def add(self, day: int) -> None:
        add_item(EVERYTHING, day, self.new(), actor=COMMAND_LINE)

    def change(self, day: int) -> None:
        change_item(EVERYTHING, self.item(day), self.new(), actor=COMMAND_LINE)

    def mark(self, day: int) -> None:
        if self.random.random() < 0.5:
            replace_handler(self.item(day), self.new().handler_id)
        else:
            mark_attendance(EVERYTHING, self.item(day), Attendance.ABSENT, actor=COMMAND_LINE)

    def remove(self, day: int) -> None:
        remove_item(EVERYTHING, self.item(day), actor=COMMAND_LINE)

    def lock(self, day: int) -> None:
        lock_day(EVERYTHING, day, "At random", actor=COMMAND_LINE)

    def open(self, day: int) -> None:
        until = read_now(db.session()) + HOUR
        open_day(EVERYTHING, day, "At random", until, actor=COMMAND_LINE)


def test_nothing_is_booked_twice_or_written_past_a_lock_when_five_plan_at_random(small, context):
    days = [
        plan(small, today() + timedelta(days=ahead), project=project)
        for ahead in (-1, 0)
        for project in (small.harbour, small.airport)
    ]
    planners = [Planner(small, days, seed) for seed in range(5)]
    answers = at_once(context, *(planner.run for planner in planners))
    assert all(isinstance(one, dict) for one in answers), answers
    assert {"add", "lock", "open"} <= {what for done in answers for what in done}
    assert rows(OVERLAPS) == []
    check_history(rows(HISTORY))


def check_history(history: list[tuple[object, ...]]) -> None:
    """Between a lock and the opening after it nothing of the day was changed."""
    locked: set[object] = set()
    for day, action in history:
        if action == "schedule.unlocked":
            locked.remove(day)
            continue
        assert day not in locked, (day, action)
        if action == "schedule.locked":
            locked.add(day)


def test_two_workers_that_lock_at_once_lock_each_day_once(small, context):
    days = 40
    yesterday = unit_today() - timedelta(days=1)
    values = {"project_id": small.harbour, "created_by": "test"}
    past = [{**values, "date": yesterday - timedelta(days=number)} for number in range(days)]
    db.session.execute(insert(DutySchedule), past)
    db.session.commit()
    results = at_once(context, *[auto_lock_schedules.function] * 2)
    assert sum(result["locked"] for result in results) == days
    locked = [target for target, action in rows(HISTORY) if action == "schedule.locked"]
    assert len(locked) == len(set(locked)) == days


def lock_states(ledger: Ledger) -> list[str]:
    return [row["state"] for row in ledger.rows("SELECT state FROM duty_schedules ORDER BY date")]


def locks(ledger: Ledger) -> list[dict[str, object]]:
    sql = "SELECT * FROM audit_entries WHERE action = 'schedule.locked' ORDER BY id"
    return ledger.rows(sql)


def run_lock(unit: Instance, after: timedelta) -> dict[str, object]:
    done = unit.flask(
        "jobs", "run", AUTO_LOCK, "--wait", "--json",
        test_clock_offset_seconds=after.total_seconds(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_day_of_a_night_shift_is_locked_after_its_end_and_not_before(
    unit: Instance, ledger: Ledger, small
):
    day = plan(small, today(), NewItem(small.badr, small.night))
    left = items_of(EVERYTHING, day)[0].ends_at - datetime.now(UTC)
    db.session.rollback()
    run = run_lock(unit, left - timedelta(minutes=2))
    assert (run["result"], lock_states(ledger)) == ({"locked": 0, "found": 0}, ["open"])
    run = run_lock(unit, left + timedelta(seconds=1))
    assert (run["result"], lock_states(ledger)) == ({"locked": 1, "found": 1}, ["locked"])


def test_unit_that_was_off_for_five_days_locks_all_five(unit: Instance, ledger: Ledger, small):
    for ahead in range(5):
        day = today() + timedelta(days=ahead)
        plan(small, day, NewItem(small.badr, small.morning), NewItem(small.dalia, small.night))
    db.session.rollback()
    server = unit.start()
    task = f"SELECT * FROM periodic_tasks WHERE job = '{AUTO_LOCK}'"
    wait_until(lambda: ledger.rows(task), 20)
    server.stop()
    assert lock_states(ledger) == ["open"] * 5
    unit.start(test_clock_offset_seconds=6 * 24 * 3600)
    wait_until(lambda: lock_states(ledger) == ["locked"] * 5, 30)
    (run,) = wait_until(
        lambda: [one for one in ledger.runs(AUTO_LOCK) if one["state"] == "succeeded"], 10
    )
    assert {entry["actor_name"] for entry in locks(ledger)} == {f"{AUTO_LOCK} {run['id']}"}
    assert len(locks(ledger)) == 5


def test_lock_that_is_cancelled_midway_is_finished_by_the_next(
    unit: Instance, ledger: Ledger, small
):
    days = 800
    values = {"project_id": small.harbour, "created_by": "test"}
    past = [
        {**values, "date": unit_today() - timedelta(days=number)} for number in range(1, days + 1)
    ]
    db.session.execute(insert(DutySchedule), past)
    db.session.commit()
    command = unit.spawn("jobs", "run", AUTO_LOCK, "--wait", "--json")
    wait_until(lambda: len(locks(ledger)) > 20, 60)
    (run,) = ledger.runs(AUTO_LOCK)
    cancel_run(str(run["id"]), "test")
    command.communicate(timeout=30)
    assert ledger.run(run["id"])["state"] == "cancelled"
    first = lock_states(ledger).count("locked")
    assert 20 < first < days
    result = run_lock(unit, timedelta(0))["result"]
    assert result == {"locked": days - first, "found": days - first}
    audited = [entry["target_id"] for entry in locks(ledger)]
    assert len(audited) == len(set(audited)) == days
