"""`fire`: one run for each occurrence, however many tick; gaps by policy; overlap."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from k9ops.core.clock import read_now
from k9ops.core.db import db
from k9ops.jobs.due import due_tasks, fire
from k9ops.jobs.models import JobRun, PeriodicTask
from k9ops.jobs.signals import run_finished
from k9ops.jobs.tasks import schedule_task


def put_back(task: PeriodicTask, seconds: float) -> datetime:
    """As if nobody had ticked for so long."""
    with db.engine.begin() as connection:
        now = read_now(connection)
        since = now - timedelta(seconds=seconds)
        connection.execute(
            update(PeriodicTask)
            .where(PeriodicTask.id == task.id)
            .values(watermark=since, next_due_at=since + timedelta(seconds=1), anchor_at=since)
        )
    return since


def runs() -> list[JobRun]:
    db.session.rollback()
    return list(db.session.scalars(select(JobRun).order_by(JobRun.due_at, JobRun.id)))


def states() -> list[str]:
    return [run.state for run in runs()]


def test_fire_makes_one_run_for_each_occurrence_when_many_tick(engine_app: Flask):
    task = schedule_task("test.sleep", every=1, misfire="each", by="amal")
    put_back(task, 60.5)

    def tick(_: int) -> int:
        with engine_app.app_context():
            return fire(db.engine, task.id, 10)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(tick, range(16))) == 60
    found = runs()
    assert len({run.due_at for run in found}) == len(found) == 60
    assert {run.late for run in found[:50]} == {True}
    assert {run.late for run in found[50:]} == {False}


def test_fire_leaves_a_task_that_is_not_due(engine_app: Flask):
    task = schedule_task("test.sleep", every=3600, by="amal")
    assert due_tasks(db.engine) == []
    assert fire(db.engine, task.id, 10) == 0


@pytest.mark.parametrize(
    ("misfire", "late", "missed"), [("latest", 1, 17), ("each", 18, 0), ("skip", 0, 18)]
)
def test_fire_follows_the_misfire_policy_after_three_hours(
    engine_app: Flask, misfire: str, late: int, missed: int
):
    task = schedule_task("test.sleep", every=600, misfire=misfire, by="amal")
    since = put_back(task, 3 * 3600 + 60)
    assert due_tasks(db.engine) == [task.id]
    assert fire(db.engine, task.id, 10) == late
    found = runs()
    assert [run.late for run in found if run.state == "queued"] == [True] * late
    gaps = [run for run in found if run.state == "missed"]
    assert len(gaps) == (1 if missed else 0)
    for gap in gaps:
        assert gap.result["count"] == missed
        assert gap.due_at == since + timedelta(seconds=600)
        assert gap.result["first_due"] == gap.due_at.isoformat()
        assert gap.occurrence == f"sched:test.sleep:{gap.due_at.isoformat()[:-6]}Z"
        assert gap.attempts == []


def test_fire_skips_an_occurrence_while_the_one_before_is_active(engine_app: Flask):
    task = schedule_task("test.sleep", every=1, overlap="skip", by="amal")
    put_back(task, 3.5)
    heard = []
    with run_finished.connected_to(lambda _job, run, **_: heard.append(run.state)):
        assert fire(db.engine, task.id, 10) == 3
    assert states() == ["queued", *heard] == ["queued", "skipped", "skipped"]


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_fire_waits_for_nobody_who_holds_the_task(engine_app: Flask):
    task = schedule_task("test.sleep", every=1, by="amal")
    put_back(task, 1.5)
    with db.engine.begin() as frozen:
        frozen.execute(update(PeriodicTask).values(total_runs=0))
        assert fire(db.engine, task.id, 10) == 0
    assert fire(db.engine, task.id, 10) == 1


def test_task_counts_its_runs_and_moves_on(engine_app: Flask):
    task = schedule_task("test.sleep", every=1, by="amal")
    put_back(task, 2.5)
    fire(db.engine, task.id, 10)
    row = db.session.get_one(PeriodicTask, task.id)
    assert row.total_runs == 2
    assert row.next_due_at > row.watermark
    assert row.last_due_at == runs()[-1].due_at
