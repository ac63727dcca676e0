"""How long Celery Beat sleeps, without its process."""

import time

import pytest
from flask import Flask
from sqlalchemy import update

from k9ops.core.db import db
from k9ops.jobs.beat import DatabaseScheduler
from k9ops.jobs.celery_app import make_celery
from k9ops.jobs.models import PeriodicTask
from k9ops.jobs.registry import catalogue
from k9ops.jobs.runtime import runtime
from k9ops.jobs.tasks import schedule_task


@pytest.fixture
def beat(engine_app: Flask) -> DatabaseScheduler:
    """A Beat whose one task is due."""
    schedule_task("test.sleep", every=0.1, by="amal")
    celery = make_celery(runtime().settings, catalogue().values())
    celery.flask_app = engine_app
    time.sleep(0.15)
    return DatabaseScheduler(app=celery)


def change_task(**values: object) -> None:
    with db.engine.begin() as connection:
        statement = update(PeriodicTask).where(PeriodicTask.name == "test.sleep")
        connection.execute(statement.values(values))


def test_beat_sleeps_until_the_next_due_time(beat: DatabaseScheduler):
    assert 0 < beat.tick() <= 0.1


def test_beat_sleeps_long_when_nobody_here_knows_the_job(beat: DatabaseScheduler):
    change_task(job="gone.job")
    assert beat.tick() > 0.2


def test_beat_follows_a_task_again_when_its_row_makes_sense_again(beat: DatabaseScheduler):
    change_task(cron="99 99 * * *", every_seconds=None)
    assert beat.tick() > 0.2
    change_task(cron=None, every_seconds=0.1)
    assert [beat.tick() <= 0.1 for _ in range(2)] == [True, True]
