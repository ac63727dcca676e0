"""The folder of backups and its manifests."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from k9ops.backups.errors import Refused, UnknownBackup
from k9ops.backups.folder import BackupFolder, name_for
from k9ops.backups.manifest import Manifest, path_beside
from k9ops.core.db import new_id
from k9ops.core.errors import Unavailable
from k9ops.core.files import locked, working_folder

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def manifest(run_id: str = "", at: datetime = NOON) -> Manifest:
    run_id = run_id or new_id()
    return Manifest(
        file=name_for(run_id, "sqlite", at),
        database="sqlite",
        database_version=3,
        application_version="1",
        migration_head="0001",
        tables={"dogs": 3},
        bytes=4,
        sha256="0" * 64,
        plain_bytes=10,
        created_at=at,
        duration_seconds=0.1,
        run_id=run_id,
        reason="run",
    )


@pytest.fixture
def folder(tmp_path: Path) -> BackupFolder:
    return BackupFolder.opened(tmp_path / "backups")


def add(folder: BackupFolder, wanted: Manifest) -> Path:
    with folder.working() as beside:
        file = beside / "packed"
        file.write_bytes(b"data")
        return folder.publish(file, wanted).path


def test_publish_leaves_two_files_and_nothing_else_when_it_is_done(folder):
    path = add(folder, manifest())
    assert set(folder.path.iterdir()) == {path, path_beside(path)}
    assert path_beside(path).stat().st_mode & 0o777 == 0o600
    assert folder.path.stat().st_mode & 0o777 == 0o700


def test_publish_gives_the_first_when_another_attempt_was_quicker(folder):
    first = add(folder, manifest("0" * 32))
    second = add(folder, manifest("0" * 32, NOON + timedelta(minutes=5)))
    assert first == second
    assert len(folder.backups()) == 1


def test_of_run_removes_the_half_when_the_attempt_died_between_the_two_files(folder):
    path = add(folder, manifest("1" * 32))
    path_beside(path).unlink()
    assert folder.of_run("1" * 32) is None
    assert not path.exists()


def test_backups_are_newest_first_when_there_are_several(folder):
    paths = [add(folder, manifest(at=NOON - timedelta(days=days))) for days in (2, 0, 1)]
    assert [backup.path for backup in folder.backups()] == [paths[1], paths[2], paths[0]]


def test_backups_leave_one_out_when_its_manifest_cannot_be_read(folder):
    path = add(folder, manifest())
    path_beside(path).write_text("{")
    assert folder.backups() == []
    with pytest.raises(Refused) as caught:
        folder.find(path.name)
    assert caught.value.code == "manifest_unreadable"


def test_backups_see_a_manifest_again_when_it_changed(folder):
    add(folder, manifest())
    folder.backups()[0].noted(verified_at=NOON)
    assert folder.backups()[0].manifest.verified_at == NOON


@pytest.mark.parametrize("name", ["../secret.zst", "/etc/passwd", "..", "nothing.zst", ""])
def test_named_refuses_when_the_name_leaves_the_folder(folder, name):
    (folder.path.parent / "secret.zst").write_bytes(b"secret")
    with pytest.raises(UnknownBackup):
        folder.named(name)


def test_named_refuses_when_the_name_is_a_link_to_elsewhere(folder, tmp_path):
    path = add(folder, manifest())
    other = tmp_path / "other"
    path.rename(other)
    path.symlink_to(other)
    with pytest.raises(UnknownBackup):
        folder.named(path.name)


def test_find_takes_a_path_when_the_file_lies_elsewhere(folder, tmp_path):
    path = add(folder, manifest())
    for file in (path, path_beside(path)):
        file.rename(tmp_path / file.name)
    assert folder.find(str(tmp_path / path.name)).file == path.name


def test_find_refuses_when_the_manifest_is_missing(folder):
    path = add(folder, manifest())
    path_beside(path).unlink()
    with pytest.raises(Refused) as caught:
        folder.find(path.name)
    assert caught.value.code == "manifest_missing"


def test_find_says_how_to_make_one_when_there_is_no_latest(folder):
    with pytest.raises(UnknownBackup) as caught:
        folder.find("latest")
    assert "run-backup" in caught.value.hint


@pytest.mark.parametrize(("name", "value"), [("bytes", -1), ("created_at", "9999-12-31T23:59:59Z")])
def test_manifest_refuses_when_a_field_is_wrong(folder, name, value):
    path = add(folder, manifest())
    document = json.loads(path_beside(path).read_text())
    path_beside(path).write_text(json.dumps(document | {name: value}))
    with pytest.raises(Refused, match=name):
        Manifest.read(path)


def test_opened_names_the_setting_when_the_folder_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable) as caught:
        BackupFolder.opened(tmp_path / "file" / "backups")
    assert caught.value.field == "BACKUP_DIR"


def test_working_folder_removes_what_dead_processes_left_when_it_begins(tmp_path):
    (tmp_path / ".making-dead.part").mkdir()
    (tmp_path / ".making-dead.part" / "packed").write_bytes(b"half")
    with working_folder(tmp_path, "making") as mine:
        assert [path.name for path in tmp_path.iterdir()] == [mine.name]
    assert list(tmp_path.iterdir()) == []


def test_working_folder_leaves_the_living_alone_when_two_work(tmp_path):
    with working_folder(tmp_path, "making") as one, working_folder(tmp_path, "making") as other:
        assert one.exists()
        assert other.exists()


def test_locked_tells_when_another_holds_it(tmp_path):
    with locked(tmp_path / "lock") as first, locked(tmp_path / "lock", wait=False) as second:
        assert first
        assert not second
