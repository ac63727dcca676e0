"""Uploading backups to Google Drive, against a local server that speaks its protocol."""

import json
import os

import pytest
from flask_babel import force_locale
from sqlalchemy import select, text

from k9ops.accounts.models import User
from k9ops.backups import queries, services
from k9ops.core.db import db
from k9ops.integrations import drive
from k9ops.jobs import dispatch
from k9ops.jobs.control import cancel_run, retry_run
from k9ops.jobs.models import JobRun
from k9ops.jobs.queries import get_run, run_document
from k9ops.jobs.runner import perform, take
from k9ops.notifications.kinds import show
from k9ops.notifications.models import Notification
from tests.support import people
from tests.support.databases import on_one_kind
from tests.support.drive_protocol import FOLDER

JOB = "backups.run_automated_backup"
ONE_EACH = {
    "backup_keep_last": 1,
    "backup_keep_daily": 0,
    "backup_keep_weekly": 0,
    "backup_keep_monthly": 0,
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """As many tries as ever, without the waiting between them."""
    monkeypatch.setattr(drive, "PAUSES", [0.01] * len(drive.PAUSES))


@pytest.fixture
def make_unit(make_app, drive_server, tmp_path):
    """Applications that upload to the server."""
    return lambda **settings: make_app(**drive_server.settings(tmp_path) | settings)


@pytest.fixture
def unit(make_unit):
    """One of them, its context pushed."""
    with make_unit().app_context() as pushed:
        yield pushed.app


def back_up(**arguments) -> JobRun:
    return execute(dispatch(JOB, arguments, via="here").id)


def execute(run_id: str) -> JobRun:
    """Execute the run in this thread."""
    perform(take(run_id, "cli:test:1"))
    return get_run(run_id)


def add_rows(megabytes: int) -> None:
    """Fill a table with what takes so much room when compressed."""
    with db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS noise (noise text)"))
        for _ in range(megabytes):  # a digit of sixteen takes half a byte
            row = {"noise": os.urandom(1 << 20).hex()}
            connection.execute(text("INSERT INTO noise VALUES (:noise)"), row)


def receipts(run_id: str) -> list[dict]:
    query = "SELECT receipt FROM job_effects WHERE run_id = :run AND key LIKE 'drive:%'"
    with db.engine.connect() as connection:
        found = connection.scalars(text(query), {"run": run_id}).all()
    return [json.loads(one) if isinstance(one, str) else one for one in found]


def test_backup_is_on_drive_when_drive_is_set_up(unit, drive_server):
    run = back_up()
    assert (run.state, run.result["upload"], run.result["uploaded"]) == ("succeeded", "done", True)
    (file,) = drive_server.live()
    (backup,) = queries.folder().backups()
    assert file["sha256Checksum"] == backup.manifest.sha256 == run.result["sha256"]
    assert file["parents"] == [FOLDER]
    assert backup.manifest.uploaded
    assert [one["file_id"] for one in receipts(run.id)] == [file["id"]]


@on_one_kind
def test_copy_on_drive_can_be_restored_when_only_it_is_left(unit, drive_server, tmp_path):
    back_up()
    (file,) = drive_server.live()
    (backup,) = queries.folder().backups()
    content = backup.path.read_bytes()
    queries.folder().remove(backup)
    copy = tmp_path / file["name"]
    copy.write_bytes(content)
    copy.with_name(f"{copy.name}.json").write_text(file["description"])
    assert services.verify_backup(str(copy)).manifest.verified_at


@on_one_kind
@pytest.mark.parametrize("drive_on", [True, False])
def test_upload_is_off_when_not_wanted_or_not_set_up(drive_on, make_app, make_unit, drive_server):
    with (make_unit if drive_on else make_app)().app_context():
        run = back_up(upload=not drive_on)
    assert (run.state, run.result["upload"], run.result["uploaded"]) == ("succeeded", "off", False)
    assert drive_server.asked == []


@on_one_kind
def test_upload_goes_on_when_drive_fails_now_and_then(unit, drive_server):
    add_rows(18)
    drive_server.meet("token", 503, "internal_failure")
    drive_server.meet("list", 429, "rateLimitExceeded")
    drive_server.meet("begin", 500)
    drive_server.meet("piece", 503)
    drive_server.meet("piece", kind="cut", after_bytes=10 << 20)
    drive_server.meet("query", 502)
    drive_server.meet("piece", 403, "userRateLimitExceeded", after_bytes=15 << 20)
    run = back_up()
    assert run.state == "succeeded"
    assert all(trouble.times == 0 for trouble in drive_server.troubles)
    assert len(drive_server.live()) == 1


@on_one_kind
def test_upload_goes_on_when_its_token_is_refused_in_the_middle(unit, drive_server):
    add_rows(10)
    drive_server.meet("piece", 401, "authError", after_bytes=6 << 20)
    assert back_up().state == "succeeded"


@on_one_kind
def test_upload_begins_anew_when_its_session_is_forgotten(unit, drive_server):
    add_rows(10)
    drive_server.meet("piece", 410, "gone", after_bytes=6 << 20)
    assert back_up().state == "succeeded"
    assert drive_server.asked.count("begin") == 2
    assert len(drive_server.live()) == 1


TROUBLES = [
    ("token", 400, "invalid_grant", "drive_unauthorised", "revoked"),
    ("piece", 401, "authError", "drive_unauthorised", "revoked"),
    ("list", 403, "accessNotConfigured", "drive_forbidden", "content manager"),
    ("begin", 403, "insufficientFilePermissions", "drive_forbidden", "content manager"),
    ("begin", 403, "storageQuotaExceeded", "drive_quota", "full"),
    ("piece", 403, "teamDriveFileLimitExceeded", "drive_quota", "full"),
    ("piece", 403, "rateLimitExceeded", "drive_rate_limit", "fewer calls"),
    ("begin", 429, "rateLimitExceeded", "drive_rate_limit", "fewer calls"),
    ("begin", 404, "notFound", "drive_no_folder", "GOOGLE_DRIVE_FOLDER_ID"),
    ("piece", 503, "backendError", "drive_outage", "out of order"),
]


@on_one_kind
@pytest.mark.parametrize(("where", "status", "reason", "code", "words"), TROUBLES)
def test_run_is_partial_and_says_why_when_drive_refuses(
    where, status, reason, code, words, unit, drive_server
):
    drive_server.meet(where, status, reason, times=float("inf"))
    drive_server.meet("query", status, reason, times=float("inf"))
    run = back_up()
    assert (run.state, run.error_code) == ("partial", code)
    assert words in run.text
    assert "is good" in run.text
    assert f"flask jobs retry {run.id}" in run.text
    assert (run.result["upload"], run.result["upload_error"]) == ("failed", code)
    (backup,) = queries.folder().backups()
    assert not backup.manifest.uploaded
    assert services.verify_backup(backup.file).is_good
    assert drive_server.live() == []


@on_one_kind
def test_run_is_partial_when_nobody_answers(unit, drive_server):
    drive_server.close()
    assert back_up().error_code == "drive_outage"


def test_retry_uploads_only_when_the_backup_is_there(unit, drive_server):
    drive_server.meet("piece", 401, "authError", times=float("inf"))
    run = back_up()
    (before,) = queries.folder().backups()
    stamp = before.path.stat().st_mtime_ns
    drive_server.troubles.clear()
    retry_run(run.id, "amal")
    run = execute(run.id)
    assert (run.state, run.error_code, run.result["upload"]) == ("succeeded", None, "done")
    (after,) = queries.folder().backups()
    assert (after.file, after.path.stat().st_mtime_ns) == (before.file, stamp)
    assert after.manifest.uploaded
    assert len(drive_server.live()) == 1


def test_retry_goes_on_where_the_upload_stopped(unit, drive_server):
    add_rows(18)
    drive_server.meet("piece", 403, "storageQuotaExceeded", after_bytes=12 << 20)
    run = back_up()
    (receipt,) = receipts(run.id)
    assert receipt["offset"] >= 8 << 20
    retry_run(run.id, "amal")
    run = execute(run.id)
    assert run.state == "succeeded"
    assert drive_server.asked.count("begin") == 1
    assert drive_server.bytes_received < 1.3 * run.result["bytes"]


@on_one_kind
def test_retry_sends_nothing_again_when_the_answer_was_lost(unit, drive_server):
    """The file is there, but no attempt ever learned of it."""
    run = back_up()
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE job_effects SET done_at = NULL, receipt = NULL"))
        connection.execute(text("UPDATE job_runs SET state = 'partial'"))
    sent = drive_server.bytes_received
    retry_run(run.id, "amal")
    assert execute(run.id).state == "succeeded"
    assert drive_server.bytes_received == sent
    assert len(drive_server.live()) == 1


@on_one_kind
def test_damaged_copy_is_replaced_when_the_upload_is_tried_again(unit, drive_server):
    drive_server.meet("piece", 503, times=float("inf"))
    run = back_up()
    drive_server.troubles.clear()
    properties = {"k9ops": "backup", "k9ops_file": run.result["file"]}
    drive_server.add(run.result["file"], b"half of it", properties)
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE job_effects SET receipt = NULL"))
    retry_run(run.id, "amal")
    assert execute(run.id).state == "succeeded"
    assert [file["sha256Checksum"] for file in drive_server.live()] == [run.result["sha256"]]


@on_one_kind
def test_run_is_partial_when_what_arrived_differs(unit, drive_server):
    drive_server.meet("piece", 503, times=float("inf"))
    run = back_up()
    drive_server.troubles.clear()
    (backup,) = queries.folder().backups()
    whole = backup.path.read_bytes()
    backup.path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    retry_run(run.id, "amal")
    assert execute(run.id).error_code == "drive_checksum"
    assert drive_server.live() == []
    backup.path.write_bytes(whole)
    retry_run(run.id, "amal")
    assert execute(run.id).state == "succeeded"


@on_one_kind
def test_old_copies_go_by_the_rules_when_a_new_one_is_there(make_unit, drive_server):
    with make_unit(**ONE_EACH).app_context():
        drive_server.add("before-the-move.zst", b"not ours", {"k9ops": "backup"})
        drive_server.add("holiday.jpg", b"not ours", {})
        first, second = back_up(), back_up()
        assert second.result["removed_on_drive"] == [first.result["file"]]
        names = {file["name"] for file in drive_server.live()}
        assert names == {second.result["file"], "before-the-move.zst", "holiday.jpg"}


@on_one_kind
def test_old_copies_go_to_the_bin_when_the_account_may_not_delete(make_unit, drive_server):
    drive_server.may_delete = False
    with make_unit(**ONE_EACH).app_context():
        back_up()
        second = back_up()
        assert [file["name"] for file in drive_server.live()] == [second.result["file"]]
        assert len(drive_server.files) == 2


@on_one_kind
def test_upload_is_done_when_old_copies_cannot_be_removed(make_unit, drive_server):
    with make_unit(**ONE_EACH).app_context():
        back_up()
        drive_server.meet("delete", 500, times=float("inf"))
        run = back_up()
    assert (run.state, run.result["removed_on_drive"]) == ("succeeded", [])


@on_one_kind
@pytest.mark.parametrize(
    "content", [None, "", "no key", "{}", "[]", '{"type": "authorized_user"}', "\0\xff"]
)
def test_run_is_partial_and_names_the_setting_when_the_key_file_is_no_good(
    content, make_unit, drive_server, tmp_path
):
    key = tmp_path / "other-key.json"
    if content is not None:
        key.write_text(content, "latin-1")
    with make_unit(google_drive_credentials_file=key).app_context():
        run = back_up()
    assert (run.state, run.error_code) == ("partial", "drive_bad_key")
    assert "GOOGLE_DRIVE_CREDENTIALS_FILE" in run.text
    assert drive_server.asked == []


@on_one_kind
def test_run_is_partial_when_the_key_is_anothers(make_unit, drive_server, tmp_path):
    key = drive_server.write_key(tmp_path / "key.json")
    stranger = type(drive_server)()
    document = json.loads(key.read_text())
    document["private_key"] = json.loads(stranger.write_key(tmp_path / "other").read_text())[
        "private_key"
    ]
    stranger.close()
    key.write_text(json.dumps(document))
    with make_unit(google_drive_credentials_file=key).app_context():
        assert back_up().error_code == "drive_unauthorised"


@on_one_kind
def test_secrets_are_told_nowhere_when_uploads_fail(unit, drive_server, tmp_path, caplog):
    add_rows(10)
    drive_server.meet("piece", 503, times=float("inf"), after_bytes=6 << 20)
    run = back_up()
    told = caplog.text + json.dumps(run_document(run)) + "".join(lines())
    (session,) = drive_server.sessions
    key = json.loads((tmp_path / "drive-key.json").read_text())["private_key"]
    assert session in receipts(run.id)[0]["session"]
    for secret in (session, key[100:130], *drive_server.tokens):
        assert secret not in told


def lines() -> list[str]:
    with db.engine.connect() as connection:
        return list(connection.scalars(text("SELECT message FROM job_log_lines")))


@on_one_kind
def test_run_is_cancelled_when_a_person_asks_in_the_middle_of_the_upload(
    unit, drive_server, monkeypatch
):
    monkeypatch.setattr(drive, "PAUSES", [60])
    drive_server.meet("piece", 503, times=float("inf"))
    run_id = dispatch(JOB, via="here").id

    def cancel():
        with unit.app_context():
            cancel_run(run_id, "amal")

    drive_server.on_piece = cancel
    assert execute(run_id).state == "cancelled"
    assert len(queries.folder().backups()) == 1


def hearers() -> list[tuple[str, str]]:
    """Who was told of an upload that failed, and how."""
    rows = db.session.execute(
        select(User.username, Notification).join(User, User.id == Notification.user_id)
    )
    with force_locale("en"):
        return [(name, show(row).text) for name, row in rows]


@on_one_kind
def test_administrators_are_told_when_an_upload_fails(unit, drive_server):
    back_up()
    assert hearers() == []
    drive_server.meet("begin", 403, "storageQuotaExceeded", times=float("inf"))
    run = back_up()
    file = run.result["file"]
    text = f"{file} is good, but it was not uploaded: The shared drive is full."
    assert hearers() == [("amal", text)]


@on_one_kind
def test_page_shows_where_each_copy_is_and_offers_the_upload(make_unit, drive_server, amal):
    app = make_unit()
    client = people.sign_in(app.test_client(), amal)
    with app.app_context():
        back_up()
    good = client.get("/backups?lang=en").text
    assert "Disk + Drive" in good
    assert "Not on Drive" not in good
    drive_server.meet("begin", 403, "storageQuotaExceeded")
    with app.app_context():
        run = back_up()
    page = client.get("/backups?lang=en").text
    for words in ("Not on Drive", "The shared drive is full.", f"/runs/{run.id}/retry"):
        assert words in page
    client.post(f"/runs/{run.id}/retry", data={"csrf_token": people.csrf_token(page)})
    with app.app_context():
        assert execute(run.id).state == "succeeded"
    assert "Not on Drive" not in client.get("/backups?lang=en").text
