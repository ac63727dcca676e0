"""The home page as each role meets it."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from k9ops.core.db import db, new_id
from k9ops.jobs.models import JobRun
from k9ops.jobs.registry import catalogue
from k9ops.jobs.states import State
from k9ops.jobs.tasks import sync_tasks
from k9ops.kennel.models import Dog, Fitness
from k9ops.sample import load_sample
from k9ops.schedules.models import Attendance, DayState, DutyItem, DutySchedule
from k9ops.schedules.services import NewItem
from tests.support.people import Person
from tests.support.statements import counted
from tests.support.unit import add_unit, note_change, plan, today

STATEMENTS_AT_MOST = 25


@pytest.fixture
def unit(app):
    return add_unit(app)


@pytest.fixture
def home_of(client_of):
    """`home_of(amal)`: the text of their home page, in English."""
    return lambda person: client_of(person).get("/?lang=en").text


@pytest.fixture
def planned(app, unit):
    """`planned(day, *items)`: a day of the harbour with these duties."""

    def make(day, *items):
        with app.app_context():
            return plan(unit, day, *items)

    return make


@pytest.fixture
def change(app):
    """`change(DutyItem, duty_schedule_id=3)(attendance="absent")`: by SQL, noted in the trail."""

    def of(table, **which):
        def to(**values):
            with app.app_context():
                db.session.execute(update(table).filter_by(**which).values(**values))
                note_change()
                db.session.commit()

        return to

    return of


def test_home_shows_todays_duty_of_all_projects_to_an_administrator(home_of, unit, amal, planned):
    planned(today(), NewItem(unit.badr, unit.night, unit.rex))
    text = home_of(amal)
    assert "standing of planned" in text
    assert "Harbour" in text
    assert "Airport" in text


def test_home_shows_a_manager_their_own_project_only(home_of, unit, caline, planned):
    planned(today(), NewItem(unit.badr, unit.night, unit.rex))
    text = home_of(caline)
    assert "Harbour" in text
    assert "Airport" not in text
    assert "Job health" not in text
    assert "There is no good backup" not in text


def test_home_is_plain_where_duty_is_full_and_loud_where_somebody_is_absent(
    home_of, unit, caline, planned, change
):
    day = planned(today(), NewItem(unit.badr, unit.night, unit.rex))
    planned(today() + timedelta(days=1), NewItem(unit.badr, unit.night, unit.rex))
    text = home_of(caline)
    assert "1 of 1" in text
    assert " short" not in text
    assert "Nothing needs you now" in text
    change(DutyItem, duty_schedule_id=day)(attendance=Attendance.ABSENT)
    assert "0 of 1, 1 short" in home_of(caline)


def test_home_brings_up_a_dog_that_became_unfit(home_of, unit, caline, planned, change):
    day = planned(today() + timedelta(days=1), NewItem(unit.badr, unit.night, unit.rex))
    change(Dog, id=unit.rex)(fitness=Fitness.UNFIT)
    text = home_of(caline)
    assert "is planned and not fit for duty" in text
    assert f'href="/schedules/{day}"' in text


def test_home_brings_up_duties_that_nobody_marked(home_of, unit, caline, planned, change):
    day = planned(today(), NewItem(unit.badr, unit.morning, unit.rex))
    now = datetime.now(UTC)
    over = {"starts_at": now - timedelta(hours=3), "ends_at": now - timedelta(hours=1)}
    change(DutyItem, duty_schedule_id=day)(**over)
    text = home_of(caline)
    assert "Nobody noted who came to one duty that is over" in text
    assert "1 not noted yet" in text
    change(DutyItem, duty_schedule_id=day)(attendance=Attendance.PRESENT)
    text = home_of(caline)
    assert "Nobody noted" not in text
    assert "1 of 1 present" in text


def test_home_brings_up_locked_days_with_duties_that_nobody_marked(
    home_of, unit, caline, planned, change
):
    day = planned(today() - timedelta(days=2), NewItem(unit.badr, unit.morning, unit.rex))
    change(DutySchedule, id=day)(state=DayState.LOCKED)
    assert "One day was locked with duties that nobody marked" in home_of(caline)


def test_home_brings_up_what_is_not_planned_for_tomorrow(home_of, unit, caline, amal, planned):
    assert "One project has no duty planned for tomorrow" in home_of(caline)
    assert "2 projects have no duty planned for tomorrow" in home_of(amal)
    planned(today() + timedelta(days=1), NewItem(unit.badr, unit.night))
    assert "planned for tomorrow" not in home_of(caline)


def test_home_shows_a_handler_their_next_duty_first(home_of, unit, badr, planned):
    later = today() + timedelta(days=1)
    planned(later, NewItem(unit.badr, unit.night, unit.rex, unit.gate, "bring water"))
    text = home_of(badr)
    for word in ("22:00", "Gate", "Harbour", "Rex", "K9-001", "bring water"):
        assert word in text
    assert text.index("22:00") < text.index("Unread notifications")
    assert "Needs attention" not in text
    assert "Readiness" not in text


def test_home_tells_a_handler_without_duty_so(home_of, unit, badr):
    assert "No duty is planned for you" in home_of(badr)


def test_home_brings_up_that_there_is_no_backup(home_of, amal):
    assert "There is no good backup" in home_of(amal)


def test_home_shows_at_most_seven_matters_and_counts_the_rest(home_of, amal, app):
    now = datetime.now(UTC)
    values = {"state": State.FAILED, "queue": "k9_tasks", "priority": 5, "error_message": "no"}
    times = {"queued_at": now, "available_at": now, "finished_at": now}
    with app.app_context():
        for name in [name for name in catalogue() if name.startswith("test.")][:9]:
            run = JobRun(id=new_id(), job=name, occurrence=f"key:{name}", **values, **times)
            db.session.add(run)
        db.session.commit()
    text = home_of(amal)
    assert len(re.findall(r">Open the run<|>Open backups<", text)) == 7
    assert "more are not shown" in text


def test_home_asks_few_statements_of_the_sample_unit(app, amal, client_of):
    with app.app_context():
        sync_tasks()
        password = load_sample().password
    people = [amal, *(Person(name, "", "", password) for name in ("manager", "handler1"))]
    for client in map(client_of, people):
        with counted(app) as statements:
            assert client.get("/").status_code == 200
        assert len(statements) <= STATEMENTS_AT_MOST, "\n".join(statements)
