"""Making backups of both databases."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import text

from k9ops.backups import queries, services
from k9ops.backups.errors import BackupFailed, NoSpace
from k9ops.backups.jobs import automatic_trigger, run_automated_backup
from k9ops.core.db import db, new_id
from k9ops.core.errors import Unavailable
from k9ops.jobs import Cron, PermanentError, Stopped
from tests.support.databases import make_settings


def files(app) -> set[str]:
    return {path.name for path in queries.folder().path.iterdir()}


def test_make_backup_tells_rows_and_head_when_it_is_done(context):
    backup = services.make_backup()
    rows = db.session.scalar(text("SELECT count(*) FROM users"))
    assert backup.manifest.tables["users"] == rows == 3
    assert backup.manifest.migration_head == db.session.scalar(
        text("SELECT version_num FROM alembic_version")
    )
    assert backup.manifest.bytes == backup.path.stat().st_size
    assert files(context) == {backup.file, f"{backup.file}.json"}


def test_make_backup_gives_the_same_file_when_the_run_is_executed_again(context):
    run_id = new_id()
    assert services.make_backup(run_id).path == services.make_backup(run_id).path
    assert len(queries.folder().backups()) == 1


def test_make_backup_leaves_nothing_when_it_is_stopped(context):
    def stop(done, total=None, text=""):
        raise Stopped("cancelled")

    with pytest.raises(Stopped):
        services.make_backup(report=stop)
    assert files(context) == set()


def test_make_backup_reports_bytes_when_somebody_listens(context):
    told = []
    backup = services.make_backup(report=lambda done, total=None, text="": told.append(done))
    assert told == sorted(told)
    assert told[-1] == backup.manifest.plain_bytes


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_make_backup_holds_one_moment_when_rows_change_meanwhile(context):
    """Neither the counts nor the file see it; in SQLite's one step nothing comes between."""

    def remove_rows(done, total=None, text_=""):
        with db.engine.begin() as connection:
            connection.execute(text("DELETE FROM audit_entries"))

    backup = services.make_backup(report=remove_rows)
    assert backup.manifest.tables["audit_entries"] == 3
    assert services.verify_backup(backup.file).manifest.verified_at


def test_run_backup_removes_the_old_when_no_rule_keeps_them(make_app):
    app = make_app(
        backup_keep_last=1, backup_keep_daily=0, backup_keep_weekly=0, backup_keep_monthly=0
    )
    with app.app_context():
        first = services.make_backup()
        stranger = first.path.with_name("before-the-move.zst")
        stranger.write_bytes(b"not ours")
        result = services.run_backup(new_id(), lambda *_, **__: None, upload=True)
        assert result["removed"] == [first.file]
        assert (result["uploaded"], result["upload"]) == (False, "off")
        assert files(app) == {result["file"], f"{result['file']}.json", stranger.name}


def test_run_backup_keeps_what_was_live_before_a_restore_when_it_removes(make_app):
    app = make_app(
        backup_keep_last=1, backup_keep_daily=0, backup_keep_weekly=0, backup_keep_monthly=0
    )
    with app.app_context():
        safety = services.make_backup(reason="safety")
        first = services.make_backup()
        result = services.run_backup(new_id(), lambda *_, **__: None, upload=True)
        assert result["removed"] == [first.file]
        assert safety.file in files(app)


def test_run_backup_keeps_refused_ones_when_it_removes(make_app):
    app = make_app(
        backup_keep_last=1, backup_keep_daily=0, backup_keep_weekly=0, backup_keep_monthly=0
    )
    with app.app_context():
        good, bad = services.make_backup(), services.make_backup()
        bad.path.write_bytes(b"damaged")
        with pytest.raises(Exception, match="bytes"):
            services.verify_backup(bad.file)
        assert services.remove_old() == []
        assert queries.last_good().file == good.file


def test_job_makes_a_backup_when_called_directly(context):
    assert run_automated_backup(upload=False)["rows"] > 0


@pytest.mark.parametrize(
    ("frequency", "cron"),
    [("daily", "0 2 * * *"), ("weekly", "0 2 * * 0"), ("monthly", "0 2 1 * *"), ("off", None)],
)
def test_trigger_follows_the_settings_when_the_frequency_is(frequency, cron, tmp_path):
    trigger = automatic_trigger(make_settings(tmp_path, backup_frequency=frequency))
    assert trigger == (cron and Cron(cron, "Asia/Riyadh"))


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_job_fails_for_good_when_pg_dump_is_missing(context, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PermanentError, match="postgresql-client") as caught:
        run_automated_backup()
    assert caught.value.code == "no_pg_dump"
    assert files(context) == set()


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_make_backup_says_what_pg_dump_said_when_its_session_ends(context):
    with db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE noise AS SELECT generate_series(1, 500000) AS n"))

    def end_its_session(done, total=None, text_=""):
        ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%'"
        with db.engine.begin() as connection:
            connection.execute(text(ending))

    with pytest.raises(BackupFailed, match="noise"):
        services.make_backup(report=end_its_session)
    assert files(context) == set()


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_make_backup_says_so_when_the_database_is_damaged(context, database_url):
    Path(database_url.removeprefix("sqlite:///")).write_bytes(b"no database" * 1000)
    with pytest.raises(BackupFailed, match="not a database"):
        services.make_backup()
    assert files(context) == set()


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_make_backup_says_so_when_there_is_no_database(make_app, tmp_path):
    app = make_app(database_url=f"sqlite:///{tmp_path / 'nothing.db'}")
    with app.app_context(), pytest.raises(BackupFailed, match="no database at"):
        services.make_backup()
    assert not (tmp_path / "nothing.db").exists()


@pytest.fixture
def small_disk(tmp_path):
    """A disk of one megabyte."""
    if os.geteuid() != 0:
        pytest.skip("mounting takes root")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_make_backup_leaves_no_part_when_the_disk_fills_up(make_app, small_disk):
    app = make_app(backup_dir=small_disk / "backups")
    with app.app_context():
        earlier = services.make_backup()
        with db.engine.begin() as connection:
            connection.execute(text("CREATE TABLE noise (noise text)"))
            connection.execute(
                text("INSERT INTO noise VALUES (:noise)"), {"noise": os.urandom(2_000_000).hex()}
            )
        with pytest.raises(NoSpace, match="full") as caught:
            services.make_backup()
        assert "BACKUP_KEEP" in caught.value.hint
        assert files(app) == {earlier.file, f"{earlier.file}.json"}
        assert services.verify_backup(earlier.file).is_good


def test_make_backup_refuses_before_it_begins_when_space_is_short(make_app, small_disk):
    app = make_app(backup_dir=small_disk / "backups")
    with app.app_context():
        services.make_backup()
        (small_disk / "other").write_bytes(b"x" * (shutil.disk_usage(small_disk).free - 4096))
        with pytest.raises(NoSpace, match="needed"):
            services.make_backup()


def test_make_backup_names_the_setting_when_the_folder_cannot_be_written(make_app, tmp_path):
    (tmp_path / "file").write_text("")
    app = make_app(backup_dir=tmp_path / "file" / "backups")
    with app.app_context(), pytest.raises(Unavailable) as caught:
        services.make_backup()
    assert caught.value.field == "BACKUP_DIR"
