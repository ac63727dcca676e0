"""Restoring into a missing, an empty and a filled database, of both kinds."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError

from k9ops.accounts.models import User
from k9ops.audit.models import AuditEntry
from k9ops.audit.services import COMMAND_LINE
from k9ops.backups import queries, restoring, services
from k9ops.backups.errors import Refused, RestoreFailed, RestoreRunning
from k9ops.core.clock import db_now
from k9ops.core.db import db
from k9ops.core.errors import Unavailable
from k9ops.core.files import locked
from k9ops.integrations import postgresql
from k9ops.jobs import dispatch
from k9ops.jobs.due import due_tasks, fire
from k9ops.jobs.models import JobAttempt, JobEvent, JobRun, PeriodicTask
from k9ops.jobs.tasks import sync_tasks
from k9ops.notifications.models import Notification
from k9ops.projects.scope import EVERYTHING
from k9ops.schedules.locking import lock_day
from k9ops.schedules.services import NewItem, add_item
from tests.support.backups import (
    RESTORES_OWN,
    edit_manifest,
    flip_a_byte,
    halve,
    hashes,
    without,
)
from tests.support.unit import add_unit, plan, today

ARABIC = "نسخة ‘احتياطية’ \\ % ; -- \t\n"


@pytest.fixture
def filled(context):
    """A database with a schedule, a run that waits, one that runs, and odd texts."""
    sync_tasks()
    db.session.execute(update(User).where(User.username == "amal").values(full_name=ARABIC))
    db.session.commit()
    waiting = dispatch("backups.run_automated_backup")
    running = dispatch("backups.run_automated_backup")
    db.session.execute(
        update(JobRun).where(JobRun.id == running.id).values(state="running", token=4)
    )
    db.session.add(
        JobAttempt(
            run_id=running.id, number=1, token=4, path="in_process", executor="web:gone:1",
            queued_at=db_now(), started_at=db_now(), deadline_at=db_now(), heartbeat_at=db_now(),
        )
    )  # fmt: skip
    db.session.commit()
    return context, waiting.id, running.id


@pytest.fixture(params=["missing", "empty", "filled"])
def target(request, databases, database_kind):
    """The address of a database into which is restored."""
    if request.param == "filled":
        url = databases.new(database_kind)
    else:
        url = databases.bare(database_kind)
    if request.param == "missing":
        databases.drop(url)
    yield url
    databases.drop(url)


def test_restore_brings_every_row_back_when_the_target_is(filled, target, make_app, database_url):
    backup = services.make_backup()
    before = hashes(database_url)
    with make_app(database_url=target).app_context():
        done = restoring.restore_backup(backup.file)
        assert db.session.scalar(select(User.full_name).where(User.username == "amal")) == ARABIC
    after = hashes(target)
    assert without(after, RESTORES_OWN) == without(before, RESTORES_OWN)
    assert set(after) == set(before)
    assert done["outcome"] == "restored"


def test_restore_brings_the_old_rows_back_when_the_database_is_its_own(filled, database_url):
    backup = services.make_backup()
    before = hashes(database_url)
    db.session.execute(text("UPDATE users SET full_name = 'changed'"))
    db.session.execute(text("CREATE TABLE later (id integer)"))
    db.session.commit()
    done = restoring.restore_backup("latest")
    assert without(hashes(database_url), RESTORES_OWN) == without(before, RESTORES_OWN)
    safety = queries.folder().find(done["safety_backup"])
    assert safety.manifest.reason == "safety"
    assert "later" in safety.manifest.tables
    assert backup.file == done["file"]
    # The way back.
    restoring.restore_backup(safety.file)
    assert db.session.scalar(select(func.count()).select_from(text("later"))) == 0


def test_restore_ends_what_had_not_ended_when_it_fixes_the_ledger_up(filled):
    _, waiting, running = filled
    restoring.restore_backup(services.make_backup().file)
    for run_id, token in ((waiting, 1), (running, 5)):
        run = db.session.get_one(JobRun, run_id)
        assert (run.state, run.error_code, run.token) == ("failed", "restored", token)
        last = db.session.scalars(
            select(JobEvent).where(JobEvent.run_id == run_id).order_by(JobEvent.id.desc())
        ).first()
        assert (last.to_state, last.kind, last.token) == ("failed", "restored", token)
    outcome = select(JobAttempt.outcome, JobAttempt.error_code).where(JobAttempt.run_id == running)
    assert db.session.execute(outcome).one() == ("interrupted", "restored")


def test_restore_catches_nothing_up_when_tasks_were_due_since(filled):
    past = db_now()
    db.session.execute(update(PeriodicTask).values(watermark=past, next_due_at=past))
    task = db.session.scalars(select(PeriodicTask)).first()
    task.watermark -= timedelta(days=9)
    task.next_due_at = task.watermark + timedelta(hours=1)
    db.session.commit()
    backup = services.make_backup()
    runs = db.session.scalar(select(func.count()).select_from(JobRun))
    restoring.restore_backup(backup.file)
    for task_id in due_tasks(db.engine):
        fire(db.engine, task_id, late_seconds=10)
    db.session.rollback()
    # The one more is the restore's own.
    assert db.session.scalar(select(func.count()).select_from(JobRun)) == runs + 1
    task = db.session.scalars(select(PeriodicTask)).first()
    assert task.next_due_at > task.watermark > task.created_at


def test_restore_writes_its_run_audit_and_notifications_when_it_is_done(filled):
    done = restoring.restore_backup(services.make_backup().file)
    run = db.session.get_one(JobRun, done["run_id"])
    assert (run.job, run.state, run.path) == (
        "backups.restore_backup", "succeeded", "in_process",
    )  # fmt: skip
    assert run.result["file"] == done["file"]
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert (entry.action, entry.target_id) == ("backup.restored", done["file"])
    told = db.session.scalars(select(Notification)).all()
    assert [note.kind for note in told] == ["backup.restored"]


def test_restore_journals_its_steps_when_it_works(filled, tmp_path):
    restoring.restore_backup(services.make_backup().file)
    journal = json.loads((tmp_path / "restore-journal.json").read_text())
    assert [step["step"] for step in journal["steps"]] == [
        "verify", "prepare", "replace", "replaced", "record",
    ]  # fmt: skip
    assert journal["outcome"] == "restored"


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (halve, "size_differs"),
        (flip_a_byte, "hash_differs"),
        (lambda file: edit_manifest(file, tables={"users": 1}), "rows_differ"),
        (lambda file: edit_manifest(file, migration_head="9999"), "head_differs"),
        (lambda file: file.with_name(f"{file.name}.json").unlink(), "manifest_missing"),
    ],
)
def test_restore_refuses_and_touches_nothing_when_the_backup_is_not_whole(
    filled, database_url, tmp_path, damage, code
):
    backup = services.make_backup()
    damage(backup.path)
    before = hashes(database_url)
    with pytest.raises(Refused) as caught:
        restoring.restore_backup(backup.file)
    assert caught.value.code == code
    assert hashes(database_url) == before
    assert json.loads((tmp_path / "restore-journal.json").read_text())["outcome"] == "refused"


def test_restore_refuses_when_the_schema_is_newer_than_the_code(filled, database_url):
    db.session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    db.session.commit()
    backup = services.make_backup()
    before = hashes(database_url)
    with pytest.raises(Refused, match="9999") as caught:
        restoring.restore_backup(backup.file)
    assert caught.value.code == "newer_schema"
    assert hashes(database_url) == before


def test_restore_upgrades_when_the_schema_is_older_than_the_code(
    databases, make_app, database_kind
):
    """A backup of a database without any table is the oldest there can be."""
    bare, new = databases.bare(database_kind), databases.new(database_kind)
    with make_app(database_url=bare).app_context():
        db.session.execute(text("SELECT 1"))
        backup = services.make_backup()
    with make_app(database_url=new).app_context():
        done = restoring.restore_backup(backup.file)
        assert done["upgraded"]
        assert db.session.scalar(select(func.count()).select_from(User)) == 0
        assert db.session.get_one(JobRun, done["run_id"]).state == "succeeded"
    databases.drop(bare)
    databases.drop(new)


def test_restore_refuses_when_the_backup_is_of_another_kind(
    filled, databases, make_app, database_kind
):
    backup = services.make_backup()
    url = databases.bare("sqlite" if database_kind == "postgresql" else "postgresql")
    with make_app(database_url=url).app_context(), pytest.raises(Refused) as caught:
        restoring.restore_backup(backup.file)
    assert caught.value.code == "other_database"


def test_restore_refuses_when_another_is_under_way(filled, tmp_path):
    backup = services.make_backup()
    with locked(tmp_path / "restore.lock"), pytest.raises(RestoreRunning):
        restoring.restore_backup(backup.file)


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_restore_refuses_when_another_host_restores_into_the_database(filled):
    backup = services.make_backup()
    with postgresql.only_restore(db.engine.url), pytest.raises(RestoreRunning):
        restoring.restore_backup(backup.file)


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_restore_changes_nothing_when_the_script_fails_at_its_end(filled, database_url):
    """The tables are there by then; only the COMMIT is not."""
    db.session.execute(text("CREATE ROLE missing_later"))
    db.session.execute(text("CREATE TABLE guarded (id integer)"))
    db.session.execute(text("ALTER TABLE guarded ENABLE ROW LEVEL SECURITY"))
    db.session.execute(text("CREATE POLICY p ON guarded TO missing_later USING (true)"))
    db.session.commit()
    backup = services.make_backup()
    db.session.execute(text("DROP TABLE guarded"))
    db.session.execute(text("DROP ROLE missing_later"))
    db.session.commit()
    before = hashes(database_url)
    with pytest.raises(RestoreFailed, match="missing_later"):
        restoring.restore_backup(backup.file)
    assert hashes(database_url) == before


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_restore_refuses_when_the_live_file_is_damaged(filled, database_url):
    backup = services.make_backup()
    live = Path(database_url.removeprefix("sqlite:///"))
    db.session.remove()
    db.engine.dispose()
    live.write_bytes(b"no database at all" * 1000)
    with pytest.raises(Unavailable) as caught:
        restoring.restore_backup(backup.file)
    assert caught.value.code == "live_damaged"


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_restore_names_the_command_when_the_role_may_not_create_the_database(
    filled, make_app, databases, database_url
):
    backup = services.make_backup()
    db.session.execute(text("CREATE ROLE plain LOGIN"))
    db.session.commit()
    url = database_url.replace("tests@", "plain@").rpartition("/")[0] + "/not_there"
    with make_app(database_url=url).app_context(), pytest.raises(Unavailable) as caught:
        restoring.restore_backup(backup.file)
    assert "createdb" in caught.value.hint
    db.session.execute(text("DROP ROLE plain"))
    db.session.commit()


BOOK_AGAIN = """
INSERT INTO duty_schedule_items
    (duty_schedule_id, handler_id, dog_id, shift_id, starts_at, ends_at, attendance, note)
SELECT duty_schedule_id, :handler, :dog, shift_id, starts_at, ends_at, 'planned', ''
FROM duty_schedule_items WHERE duty_schedule_id = :day
"""


def test_restored_days_keep_the_rules_of_duty(context, databases, database_kind, make_app):
    """No double booking and no change of a locked day: constraints and triggers come along."""
    unit = add_unit(context)
    duty = NewItem(unit.badr, unit.morning, unit.rex, note=ARABIC.strip())
    locked, free = (plan(unit, today() + timedelta(days=ahead), duty) for ahead in (0, 1))
    lock_day(EVERYTHING, locked, "Counted", actor=COMMAND_LINE)
    backup, url = services.make_backup(), databases.bare(database_kind)
    before = hashes(str(context.config["SQLALCHEMY_DATABASE_URI"]))
    with make_app(database_url=url).app_context():
        restoring.restore_backup(backup.file)
        assert without(hashes(url), RESTORES_OWN) == without(before, RESTORES_OWN)
        refused = {
            "ex_duty_schedule_items_handler": (free, unit.badr, None),
            "ex_duty_schedule_items_dog": (free, unit.dalia, unit.rex),
            "day_locked": (locked, unit.dalia, None),
        }
        for rule, (day, handler, dog) in refused.items():
            values = {"day": day, "handler": handler, "dog": dog}
            with pytest.raises(IntegrityError, match=rule), db.engine.begin() as connection:
                connection.execute(text(BOOK_AGAIN), values)
        opening = text("UPDATE duty_schedules SET state = 'open' WHERE id = :day")
        with pytest.raises(IntegrityError, match="day_locked"), db.engine.begin() as connection:
            connection.execute(opening, {"day": locked})
        add_item(EVERYTHING, free, NewItem(unit.dalia, unit.evening), actor=COMMAND_LINE)
    databases.drop(url)
