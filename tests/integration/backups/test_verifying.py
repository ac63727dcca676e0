"""Each damage is found, and told by its own reason."""

import pytest
from sqlalchemy import text

from k9ops.backups import queries, services
from k9ops.backups.errors import Refused, UnknownBackup
from k9ops.backups.manifest import path_beside
from k9ops.core.db import db
from tests.support.backups import edit_manifest, flip_a_byte, halve, true_to_manifest


@pytest.fixture
def backup(context):
    return services.make_backup()


def refused(file) -> Refused:
    with pytest.raises(Refused) as caught:
        services.verify_backup(str(file))
    return caught.value


def test_verify_notes_the_time_when_the_backup_is_whole(backup):
    verified = services.verify_backup("latest")
    assert verified.manifest.verified_at
    assert queries.last_good().manifest.verified_at == verified.manifest.verified_at


def test_verify_refuses_when_half_the_file_is_missing(backup):
    halve(backup.path)
    assert refused(backup.path).code == "size_differs"
    assert queries.last_good() is None


def test_verify_refuses_a_half_as_a_half_when_it_was_renamed(backup, tmp_path):
    for file in (backup.path, path_beside(backup.path)):
        file.rename(tmp_path / file.name.replace(backup.file, "copy.zst"))
    halve(tmp_path / "copy.zst")
    assert refused(tmp_path / "copy.zst").code == "size_differs"


def test_verify_refuses_when_a_byte_is_flipped(backup):
    flip_a_byte(backup.path)
    error = refused(backup.path)
    assert error.code == "hash_differs"
    assert queries.folder().backups()[0].manifest.refused.message == error.message


def test_verify_refuses_when_the_manifest_is_of_another_file(backup):
    db.session.execute(text("DELETE FROM audit_entries"))
    db.session.commit()
    other = services.make_backup()
    path_beside(other.path).rename(path_beside(backup.path))
    assert refused(backup.path).code == "manifest_of_another"


def test_verify_refuses_when_the_manifest_is_missing(backup):
    path_beside(backup.path).unlink()
    assert refused(backup.path).code == "manifest_missing"


def test_verify_refuses_when_the_manifest_is_no_manifest(backup):
    path_beside(backup.path).write_text('{"format": 1}')
    assert refused(backup.path).code == "manifest_unreadable"


def test_verify_refuses_when_the_rows_are_not_those_of_the_manifest(backup):
    edit_manifest(backup.path, tables=backup.manifest.tables | {"users": 4})
    error = refused(backup.path)
    assert error.code == "rows_differ"
    assert "3 rows of users" in error.message


def test_verify_refuses_when_the_migration_is_not_that_of_the_manifest(backup):
    edit_manifest(backup.path, migration_head="0000")
    assert refused(backup.path).code == "head_differs"


@pytest.mark.parametrize("damage", [halve, flip_a_byte])
def test_verify_decodes_to_the_end_when_size_and_hash_agree(backup, damage):
    damage(backup.path)
    true_to_manifest(backup.path)
    assert refused(backup.path).code == "not_decodable"


def test_verify_refuses_when_the_file_is_unknown(context):
    with pytest.raises(UnknownBackup):
        services.verify_backup("nothing.zst")


def test_verify_makes_it_good_again_when_the_right_file_is_back(backup):
    content = backup.path.read_bytes()
    halve(backup.path)
    refused(backup.path)
    backup.path.write_bytes(content)
    assert services.verify_backup(backup.file).is_good


def test_verify_leaves_nothing_behind_when_it_is_done(backup, context):
    services.verify_backup(backup.file)
    halve(backup.path)
    refused(backup.path)
    assert not [path for path in queries.folder().path.parent.iterdir() if "part" in path.name]
