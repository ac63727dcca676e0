"""The automatic lock as a job."""

import json
from datetime import time, timedelta

import pytest
from sqlalchemy import select

from k9ops.audit.models import AuditEntry
from k9ops.core.checks import unit_today
from k9ops.core.db import db
from k9ops.jobs.models import PeriodicTask
from k9ops.jobs.tasks import sync_tasks
from k9ops.schedules.jobs import AUTO_LOCK, auto_lock_schedules
from k9ops.schedules.models import DutySchedule, Shift
from k9ops.schedules.services import NewItem
from tests.support.unit import plan


@pytest.fixture
def missed(unit):
    """Ids of five days that nobody locked, each with a duty."""
    return [
        plan(unit, unit_today() - timedelta(days=ago), NewItem(unit.badr, unit.morning))
        for ago in range(5, 0, -1)
    ]


def locked():
    query = select(DutySchedule).where(DutySchedule.state == "locked").order_by(DutySchedule.date)
    db.session.rollback()
    return db.session.scalars(query).all()


def entries():
    query = select(AuditEntry).where(AuditEntry.action == "schedule.locked")
    return db.session.scalars(query.order_by(AuditEntry.id)).all()


def test_five_missed_days_are_locked_and_audited_by_the_run(missed, runner):
    done = runner.invoke(args=["jobs", "run", AUTO_LOCK, "--wait", "--json"])
    run = json.loads(done.stdout)
    assert (run["state"], run["result"]) == ("succeeded", {"locked": 5, "found": 5})
    who = f"{AUTO_LOCK} {run['id']}"
    assert [(day.id, day.locked_by) for day in locked()] == [(day, who) for day in missed]
    assert [(entry.target_id, entry.actor_name) for entry in entries()] == [
        (str(day), who) for day in missed
    ]


def test_second_run_finds_nothing_to_lock(missed):
    assert auto_lock_schedules.function() == {"locked": 5, "found": 5}
    assert auto_lock_schedules.function() == {"locked": 0, "found": 0}
    assert len(entries()) == 5


def test_days_that_go_on_or_are_to_come_stay_open(unit, missed):
    late = Shift(name="طويلة", starts=time(23, 59), ends=time(23, 59))
    db.session.add(late)
    db.session.commit()
    plan(unit, unit_today(), NewItem(unit.badr, late.id))
    plan(unit, unit_today() + timedelta(days=1))
    assert auto_lock_schedules.function() == {"locked": 5, "found": 5}
    assert [day.id for day in locked()] == missed


def test_lock_is_due_at_the_set_hour_of_the_units_clock(make_app, unit):
    settings = {"schedule_auto_lock_hour": 4, "schedule_auto_lock_minute": 45}
    with make_app(unit_timezone="Asia/Baghdad", **settings).app_context():
        sync_tasks()
        task = db.session.scalars(select(PeriodicTask).where(PeriodicTask.job == AUTO_LOCK)).one()
        assert (task.next_due_at.hour, task.next_due_at.minute) == (1, 45)
