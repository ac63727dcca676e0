"""The threads of a process that executes by itself."""

import time
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update

from k9ops.core.db import db
from k9ops.jobs import dispatch
from k9ops.jobs.models import JobRun, PeriodicTask
from k9ops.jobs.queries import get_run
from k9ops.jobs.scheduler import EngineService
from k9ops.jobs.tasks import schedule_task
from tests.support.processes import wait_until


@pytest.fixture
def ticking_app(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """Two jobs that come due each second, for an engine that is not started yet."""
    app = make_app(jobs_extra_modules=("tests.support.jobs",), jobs_tick_seconds=0.2)
    with app.app_context():
        for name in ("test.partial", "test.sleep"):
            schedule_task(name, every=1, by="amal")
        yield app


@pytest.fixture
def service(ticking_app: Flask) -> Iterator[EngineService]:
    made = EngineService(ticking_app, "web", ticks=True)
    yield made
    made.stop()


def runs_of(job: str) -> int:
    statement = select(func.count()).select_from(JobRun).where(JobRun.job == job)
    with db.engine.connect() as connection:
        return connection.scalar(statement)


def rename(table: str, name: str) -> None:
    with db.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))


def has_task(name: str) -> bool:
    with db.engine.connect() as connection:
        found = select(PeriodicTask.id).where(PeriodicTask.name == name)
        return connection.scalar(found) is not None


def test_tick_fires_the_others_when_one_row_makes_no_sense(service: EngineService):
    with db.engine.begin() as connection:
        broken = update(PeriodicTask).where(PeriodicTask.name == "test.partial")
        connection.execute(broken.values(cron="99 99 * * *", every_seconds=None))
    service.start()
    wait_until(lambda: runs_of("test.sleep") >= 2)
    assert runs_of("test.partial") == 0
    assert service.seconds_since_tick() < 2


def test_schedule_follows_the_code_once_the_database_can_be_used(
    service: EngineService, caplog: pytest.LogCaptureFixture
):
    rename("periodic_tasks", "away")
    service.start()
    wait_until(lambda: "the database cannot be used" in caplog.text)
    rename("away", "periodic_tasks")
    wait_until(lambda: has_task("backups.run_automated_backup"))


def test_stop_ends_nothing_but_the_claiming_when_it_comes_before_the_start(
    service: EngineService,
):
    service.stop()
    service.start()
    run = dispatch("test.sleep")
    time.sleep(1)
    assert get_run(run.id).state == "queued"
