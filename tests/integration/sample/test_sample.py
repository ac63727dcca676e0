"""The sample unit: whole, the same each time, and bound by the rules that bind everybody."""

import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from k9ops.accounts.models import User
from k9ops.app import create_app
from k9ops.cli import register_commands
from k9ops.core.clock import read_now
from k9ops.core.db import db
from k9ops.core.errors import Conflict
from k9ops.jobs.tasks import sync_tasks
from k9ops.notifications.kinds import is_known
from k9ops.people.models import Person
from k9ops.sample import load_sample
from tests.support.databases import KINDS, dispose, make_settings
from tests.support.unit import add_unit, today

#: What must be the same each time, in order; what says when it was loaded is left out.
SAME = {
    "people": "number, name, name_en, work, phone, hired_on",
    "dogs": "code, name, name_en, breed, sex, born_on, microchip, status, fitness, weight_kg",
    "projects": "code, name, name_en, starts_on, ends_on",
    "project_assignments": "project_id, person_id, dog_id, from_on, to_on",
    "duty_schedules": "project_id, date, state, created_by",
    "duty_schedule_items": "duty_schedule_id, handler_id, dog_id, place_id, starts_at, note",
    "notifications": "user_id, kind",
    "job_runs": "job, state, tries, due_at, duration_ms",
}
#: Written anew here, not by the rules of the product.
OVERLAPS = """
SELECT count(*) FROM duty_schedule_items a JOIN duty_schedule_items b ON a.id < b.id
WHERE a.attendance <> 'absent' AND b.attendance <> 'absent'
  AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at
  AND (coalesce(a.replacement_id, a.handler_id) = coalesce(b.replacement_id, b.handler_id)
       OR a.dog_id = b.dog_id)
"""


@pytest.fixture(scope="module", params=KINDS)
def sample(request, databases, tmp_path_factory):
    """The sample unit, loaded once for the tests that only look at it."""
    url = databases.new(request.param)
    app = create_app(make_settings(tmp_path_factory.mktemp("sample"), database_url=url))
    with app.app_context():
        sync_tasks()
        loaded = load_sample()
    yield app, loaded
    dispose(app)
    databases.drop(url)


@pytest.fixture
def loaded(sample):
    app, loaded = sample
    with app.app_context():
        yield loaded


def number_of(query, **values):
    return db.session.execute(text(query), values).scalar_one()


def count(table):
    return number_of(f"SELECT count(*) FROM {table}")


def contents():
    queries = {
        table: f"SELECT {columns} FROM {table} ORDER BY id" for table, columns in SAME.items()
    }
    return {table: db.session.execute(text(query)).all() for table, query in queries.items()}


def test_sample_unit_is_as_large_as_it_says(loaded):
    assert (count("people"), count("dogs"), count("projects"), count("shifts")) == (60, 80, 6, 3)
    assert count("notifications") == loaded.notifications == 20_000
    assert count("duty_schedules") == loaded.days
    assert count("duty_schedule_items") == loaded.duties
    assert count("job_runs") == loaded.runs > 60
    past = "SELECT count(DISTINCT date) FROM duty_schedules WHERE date <= :day"
    assert number_of(past, day=today()) == 60
    ahead = "SELECT count(DISTINCT date) FROM duty_schedules WHERE date > :day"
    assert number_of(ahead, day=today()) == 3


def test_sample_unit_has_names_in_both_languages(loaded):
    for table in ("people", "dogs", "projects", "places", "shifts"):
        assert not number_of(f"SELECT count(*) FROM {table} WHERE name_en = ''")
    names = db.session.scalars(select(Person.name)).all()
    assert len(set(names)) == 60
    assert all(re.fullmatch(r"[\u0600-\u06ff ]+", name) for name in names), names


def test_sample_unit_grows_with_its_scale(context):
    sync_tasks()
    load_sample(2)
    assert (count("people"), count("dogs"), count("projects")) == (120, 160, 12)
    assert count("notifications") == 40_000
    assert number_of(OVERLAPS) == 0


def test_sample_unit_is_the_same_each_time(loaded, databases, tmp_path):
    first = contents()
    url = databases.new(db.engine.dialect.name)
    again = create_app(make_settings(tmp_path, database_url=url))
    with again.app_context():
        sync_tasks()
        load_sample()
        second = contents()
    dispose(again)
    for table in SAME:
        assert first[table] == second[table], table


def test_sample_unit_books_nobody_twice(loaded):
    assert number_of(OVERLAPS) == 0


def test_sample_units_past_days_are_marked_and_locked(loaded):
    still_open = "SELECT count(*) FROM duty_schedules WHERE state = 'open' AND date < :day"
    assert number_of(still_open, day=today() - timedelta(days=2)) == 0
    early = "SELECT count(*) FROM duty_schedules WHERE state = 'locked' AND date >= :day"
    assert number_of(early, day=today()) == 0
    marked = (
        "SELECT count(*) FROM duty_schedule_items i JOIN duty_schedules s"
        " ON s.id = i.duty_schedule_id WHERE s.state = 'locked' AND i.attendance"
    )
    assert 0 < number_of(f"{marked} = 'planned'") < 20  # a few, so that there is something to see
    assert number_of(f"{marked} <> 'planned'") > 1500


def test_sample_units_locked_days_refuse_changes(loaded):
    day = number_of("SELECT min(id) FROM duty_schedules WHERE state = 'locked'")
    for change in (
        "UPDATE duty_schedule_items SET note = 'changed' WHERE duty_schedule_id = :day",
        "DELETE FROM duty_schedule_items WHERE duty_schedule_id = :day",
        "UPDATE duty_schedules SET state = 'open' WHERE id = :day",
    ):
        with pytest.raises(IntegrityError, match="day_locked"):
            db.session.execute(text(change), {"day": day})
        db.session.rollback()


def test_sample_units_people_sign_in_as_themselves(loaded):
    assert loaded.accounts == ["manager", "handler1", "handler2", "handler3", "handler4"]
    query = select(User.username, Person.work).join(Person, Person.user_id == User.id)
    works = dict(db.session.execute(query).all())
    assert works["manager"] == "project_manager"
    assert [works[name] for name in loaded.accounts[1:]] == ["handler"] * 4


def test_sample_units_notifications_are_of_known_kinds_and_times(loaded):
    kinds = db.session.execute(text("SELECT DISTINCT kind FROM notifications")).scalars()
    assert all(is_known(kind) for kind in kinds)
    now = read_now(db.session())
    oldest = number_of("SELECT count(*) FROM notifications WHERE created_at < :at",
                       at=(now - timedelta(days=89)).replace(tzinfo=None))  # fmt: skip
    assert oldest > 0
    assert number_of("SELECT count(*) FROM notifications WHERE read_at < created_at") == 0
    unread = number_of("SELECT count(*) FROM notifications WHERE read_at IS NULL")
    assert 20 < unread < 500


def test_load_sample_is_refused_when_it_was_loaded_before(loaded):
    with pytest.raises(Conflict, match="loaded already"):
        load_sample()
    assert count("people") == 60


def test_load_sample_is_refused_when_the_unit_has_data_of_its_own(app, context):
    add_unit(app)
    with pytest.raises(Conflict, match="data of its own"):
        load_sample()
    assert count("users") == 3


def test_load_sample_command_tells_what_it_loaded(app, runner):
    register_commands(app)
    answer = runner.invoke(args=["load-sample"])
    assert answer.exit_code == 0, answer.output
    first, second, *_ = answer.output.splitlines()
    assert first.startswith("sample unit: 60 people, 80 dogs, 6 projects, ")
    assert "20000 notifications" in first
    assert second.startswith("sample sign-in manager ")
    again = runner.invoke(args=["load-sample", "--json"])
    assert again.exit_code == 1
    assert json.loads(again.stdout)["error"]["code"] == "sample_loaded"
