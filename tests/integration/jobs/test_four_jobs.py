"""Each of the unit's four jobs by its command, in process and by a worker, and what it left."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.pool import NullPool

from k9ops.accounts.models import User
from k9ops.core.clock import utcnow
from k9ops.core.db import db
from k9ops.notifications.models import Notification
from k9ops.schedules.services import NewItem
from tests.support.backups import driver_url
from tests.support.processes import Instance
from tests.support.unit import add_unit, plan, today

#: In process on SQLite; on PostgreSQL by Celery.
PATHS = {"sqlite": "in_process", "postgresql": "celery"}
ARABIC = "‏لا أحد عند البوابة — " * 12
LONG_AGO, LATELY = timedelta(days=90), timedelta(days=2)


@pytest.fixture
def data(context) -> None:
    """A day that is over and one that goes on, and notifications read long ago, lately, never."""
    unit = add_unit(context)
    duty = NewItem(unit.badr, unit.morning, unit.rex, unit.gate, ARABIC)
    for day in (today() - timedelta(days=1), today() + timedelta(days=1)):
        plan(unit, day, duty)
    user = db.session.scalar(select(User.id).where(User.username == "amal"))
    created = utcnow() - LONG_AGO - LATELY
    for read_at in (utcnow() - LONG_AGO, utcnow() - LATELY, None):
        note = Notification(user_id=user, kind="test", params={}, created_at=created)
        note.read_at = read_at
        db.session.add(note)
    db.session.commit()


@pytest.fixture
def unit(
    make_instance: Callable[..., Instance],
    database_url: str,
    database_kind: str,
    data: None,
    request: pytest.FixtureRequest,
) -> Instance:
    """One copy of the product on those data, with a worker where it has a broker."""
    if PATHS[database_kind] == "in_process":
        return make_instance(database_url=database_url)
    redis = request.getfixturevalue("redis_server")
    instance = make_instance(database_url=database_url, celery_broker_url=redis.url(1))
    instance.worker()
    return instance


@pytest.fixture
def outside(database_url: str) -> Engine:
    """The database, read past the product."""
    return create_engine(driver_url(database_url), poolclass=NullPool)


def rows(engine: Engine, sql: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def check_backup(result: dict[str, Any], unit: Instance, engine: Engine) -> None:
    file = unit.folder / "backups" / result["file"]
    manifest = json.loads(file.with_name(f"{file.name}.json").read_text())
    assert hashlib.sha256(file.read_bytes()).hexdigest() == manifest["sha256"]
    assert manifest["tables"]["duty_schedule_items"] == 2


def check_cleanup(result: dict[str, Any], unit: Instance, engine: Engine) -> None:
    assert (result["deleted"], result["left"]) == (1, 0)
    left = rows(engine, "SELECT read_at IS NULL FROM notifications WHERE kind = 'test' ORDER BY id")
    assert [bool(unread) for (unread,) in left] == [False, True]


def check_lock(result: dict[str, Any], unit: Instance, engine: Engine) -> None:
    assert result == {"locked": 1, "found": 1}
    states = rows(engine, "SELECT state FROM duty_schedules ORDER BY date")
    assert states == [("locked",), ("open",)]
    audited = rows(engine, "SELECT target_id FROM audit_entries WHERE action = 'schedule.locked'")
    assert len(audited) == 1


def check_report(result: dict[str, Any], unit: Instance, engine: Engine) -> None:
    content = (unit.folder / "data" / result["path"]).read_bytes()
    assert content.startswith(b"%PDF-")
    assert hashlib.sha256(content).hexdigest() == result["sha256"]
    assert rows(engine, "SELECT sha256 FROM documents") == [(result["sha256"],)]


REPORT = (
    "--arg", "report=duty_schedule", "--arg", 'arguments={"project": "HRB"}', "--arg", "language=ar"
)  # fmt: skip
JOBS = {
    "backups.run_automated_backup": (("--arg", "upload=false"), check_backup),
    "notifications.cleanup_old_notifications": ((), check_cleanup),
    "schedules.auto_lock_schedules": ((), check_lock),
    "reports.generate_pdf_report": (REPORT, check_report),
}


@pytest.mark.parametrize("job", JOBS)
def test_command_runs_the_job_to_its_end(
    unit: Instance, outside: Engine, database_kind: str, job: str
):
    arguments, check = JOBS[job]
    done = unit.flask("jobs", "run", job, *arguments, "--wait", "--json")
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)
    path = PATHS[database_kind]
    reason = None if path == "celery" else "celery_off"
    assert (run["state"], run["path"], run["reason"]) == ("succeeded", path, reason)
    (attempt,) = run["attempts"]
    executor = attempt["executor"].partition(":")[0]
    assert executor in (("worker", "child") if path == "celery" else ("cli", "child"))
    check(run["result"], unit, outside)
