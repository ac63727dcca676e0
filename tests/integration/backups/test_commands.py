"""The commands about backups, as a person or a script meets them."""

import json
from zoneinfo import ZoneInfo

import pytest

from k9ops.backups import queries, services
from k9ops.backups.journal import Journal
from k9ops.core.db import db
from tests.support.backups import RESTORES_OWN, halve, hashes, without


def run(runner, *arguments, **given):
    result = runner.invoke(args=list(arguments), **given)
    document = json.loads(result.stdout) if "--json" in arguments else result.output
    return result.exit_code, document


@pytest.fixture
def backup(context):
    return services.make_backup()


def test_run_backup_prints_its_run_when_it_succeeds(cli):
    done = cli("run-backup", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert (document["state"], document["path"], document["reason"]) == (
        "succeeded", "in_process", "celery_off",
    )  # fmt: skip
    listed = json.loads(cli("list-backups", "--json").stdout)
    assert [item["file"] for item in listed] == [document["result"]["file"]]
    assert cli("verify-backup", document["result"]["file"]).returncode == 0


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_run_backup_names_the_package_when_pg_dump_is_missing(instance, tmp_path):
    done = instance.flask("run-backup", PATH=str(tmp_path))
    assert done.returncode == 1
    assert "postgresql-client" in done.stderr
    assert "Traceback" not in done.stderr
    assert list((instance.folder / "backups").iterdir()) == []


@pytest.mark.parametrize("file", ["x" * 300, "/x" * 3000])
def test_verify_finds_nothing_when_no_file_can_have_the_name(runner, backup, file):
    code, document = run(runner, "verify-backup", file, "--json")
    assert (code, document["error"]["code"]) == (1, "unknown_backup")


def test_wrong_usage_is_one_document_with_json(runner):
    code, document = run(runner, "run-backup", "--via", "pigeon", "--json")
    assert (code, document["error"]["code"]) == (2, "usage")


def test_list_backups_tells_what_the_interface_promises_when_there_is_one(runner, backup):
    code, listed = run(runner, "list-backups", "--json")
    assert code == 0
    assert [set(item) for item in listed] == [
        {"file", "bytes", "sha256", "created_at", "database", "uploaded", "verified_at"}
    ]


def test_list_backups_tells_times_on_the_units_clock(runner, backup):
    taken = f"{backup.created_at.astimezone(ZoneInfo('Asia/Riyadh')):%Y-%m-%d %H:%M:%S}"
    code, text = run(runner, "list-backups")
    assert code == 0
    assert text.splitlines()[0].split() == [
        "FILE", "BYTES", "CREATED", "DATABASE", "UPLOADED", "VERIFIED",
    ]  # fmt: skip
    assert f"  {taken}  {backup.manifest.database}" in text
    assert taken in run(runner, "restore-backup", backup.file)[1]


def test_list_backups_says_so_when_there_is_none(runner, context):
    assert run(runner, "list-backups", "--json") == (0, [])
    assert "no backup" in run(runner, "list-backups")[1]


def test_verify_backup_exits_with_1_when_it_refuses(runner, backup):
    halve(backup.path)
    code, document = run(runner, "verify-backup", "latest", "--json")
    assert code == 1
    assert document["error"]["code"] == "size_differs"


@pytest.mark.parametrize("command", ["verify-backup", "restore-backup"])
def test_commands_exit_with_1_when_the_file_is_unknown(runner, context, command):
    code, document = run(runner, command, "nothing.zst", "--json", *["--yes"][: command[0] == "r"])
    assert code == 1
    assert document["error"]["code"] == "unknown_backup"


def test_restore_backup_asks_for_the_word_when_yes_is_not_given(runner, backup, database_url):
    before = hashes(database_url)
    code, document = run(runner, "restore-backup", backup.file, "--json", input="restore\n")
    assert code == 2
    assert document["error"]["code"] == "not_confirmed"
    assert hashes(database_url) == before


def test_restore_backup_tells_what_it_did_when_it_is_done(runner, backup):
    code, document = run(runner, "restore-backup", backup.file, "--yes", "--json")
    assert code == 0
    assert document["file"] == backup.file
    assert document["safety_backup"] in {one.file for one in queries.folder().backups()}


def test_restore_backup_takes_a_path_when_the_file_lies_elsewhere(runner, backup, tmp_path):
    for file in (backup.path, backup.path.with_name(f"{backup.file}.json")):
        file.rename(tmp_path / file.name)
    assert run(runner, "restore-backup", str(tmp_path / backup.file), "--yes")[0] == 0
    db.session.remove()


def test_restore_backup_fills_a_missing_place_when_run_as_a_command(
    make_instance, databases, database_kind, backup, database_url
):
    url = databases.bare(database_kind)
    databases.drop(url)
    other = make_instance(database_url=url)
    done = other.flask("restore-backup", str(backup.path), "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["safety_backup"] is None
    assert without(hashes(url), RESTORES_OWN) == without(hashes(database_url), RESTORES_OWN)
    databases.drop(url)


def test_restore_backup_tells_of_the_last_when_that_one_died(runner, backup, tmp_path, caplog):
    Journal.begin(tmp_path, "some.zst").step("replace")
    assert run(runner, "restore-backup", backup.file, "--yes")[0] == 0
    assert "the restore of some.zst died; its steps: replace" in caplog.text
