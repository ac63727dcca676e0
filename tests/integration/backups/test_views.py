"""The page of backups as each person meets it."""

import re
import shutil
from datetime import timedelta

import pytest
from sqlalchemy import select

from k9ops.audit.models import AuditEntry
from k9ops.backups import queries, restoring, services
from k9ops.backups.folder import name_for
from k9ops.backups.jobs import VERIFY
from k9ops.backups.manifest import Refusal
from k9ops.core.db import db, new_id
from k9ops.jobs.models import JobRun
from k9ops.jobs.queries import get_run
from k9ops.jobs.runner import perform, take
from tests.support.backups import halve
from tests.support.people import csrf_token


@pytest.fixture
def backup(context):
    return services.make_backup()


@pytest.fixture
def page(client_of, amal):
    return client_of(amal)


def post(client, address):
    fields = {"csrf_token": csrf_token(client.get("/backups?lang=en").text)}
    return client.post(address, data=fields)


def actions() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_list_shows_the_backup_when_there_is_one(page, backup):
    answer = page.get("/backups?lang=en")
    assert answer.status_code == 200
    assert backup.file in answer.text


def test_list_says_so_when_there_is_none(page, context):
    assert page.get("/backups?lang=en").status_code == 200


def test_list_pages_by_name_when_there_are_many(page, context):
    one = services.make_backup()
    for number in range(26):
        with queries.folder().working() as beside:
            shutil.copy(one.path, beside / "packed")
            at = one.created_at - timedelta(hours=number + 1)
            changes = {"file": name_for(new_id(), "sqlite", at), "created_at": at}
            other = one.manifest.model_copy(update={**changes, "run_id": new_id()})
            queries.folder().publish(beside / "packed", other)
    newest_first = [backup.file for backup in queries.folder().backups()]
    assert len(newest_first) == 27
    second = page.get(f"/backups?lang=en&before={newest_first[24]}").text
    assert newest_first[25] in second
    assert newest_first[0] not in second


def test_list_is_filtered_sorted_and_taken_along(page, context):
    small, large = services.make_backup(), services.make_backup()
    large.noted(bytes=10**9, refused=Refusal(code="hash_differs", message="", at=large.created_at))
    small.noted(verified_at=small.created_at, bytes=1)

    def shown(asked):
        text = page.get(f"/backups?{asked}").text
        return re.findall(r'<span class="mono file-name">(k9ops-[^<]+)<', text)

    assert shown("") == [large.file, small.file]
    assert shown("sort=taken") == shown("sort=size") == [small.file, large.file]
    assert shown("state=whole") == shown("place=disk&sort=-taken&state=whole") == [small.file]
    assert shown("state=refused") == [large.file]
    assert "No backup matches these filters" in page.get("/backups?place=drive").text
    file = page.get("/backups/export/csv?sort=-size").data.decode("utf-8-sig").splitlines()
    assert [row.split(",")[1:3] for row in file[1:]] == [
        [large.file, "Refused"], [small.file, "Whole"],
    ]  # fmt: skip
    assert page.get("/backups/export/xlsx").status_code == 200


def test_history_of_a_backup_is_one_step_away(page, backup):
    text = page.get("/backups").text
    assert 'href="/audit?kind=backup"' in text
    assert f'href="/audit?kind=backup&amp;id={backup.file}"' in text


def test_make_starts_a_run_when_the_administrator_asks(page, context):
    answer = post(page, "/backups/make")
    run = db.session.scalars(select(JobRun)).one()
    assert answer.location == f"/runs/{run.id}"
    assert run.requested_by == "amal"
    assert "backup.requested" in actions()


def test_verify_says_what_came_of_it_when_asked(app, page, backup):
    halve(backup.path)
    answer = post(page, f"/backups/{backup.file}/verify")
    assert answer.status_code == 303
    assert "is being verified" in page.get("/backups?lang=en").text
    assert "backup.verify_requested" in actions()
    run_id = db.session.scalars(select(JobRun.id).where(JobRun.job == VERIFY)).one()
    with app.app_context():
        perform(take(run_id, "cli:test:1"))
        assert get_run(run_id).error_code == "size_differs"
    assert "another size" in page.get("/backups?lang=en").text


def test_download_gives_the_file_when_allowed(page, backup):
    with page.get(f"/backups/{backup.file}/download") as answer:
        assert answer.data == backup.path.read_bytes()
        assert backup.file in answer.headers["Content-Disposition"]
    assert "backup.downloaded" in actions()


@pytest.mark.parametrize("name", ["..%2fk9ops.db", "..", "secret_key", "%2fetc%2fpasswd"])
def test_download_gives_nothing_when_the_name_leaves_the_folder(page, backup, name, tmp_path):
    (tmp_path / "secret_key").write_text("secret")
    answer = page.get(f"/backups/{name}/download")
    assert answer.status_code == 404


@pytest.mark.parametrize("who", ["badr", "caline"])
def test_pages_refuse_when_the_person_may_not(who, request, client_of, backup):
    client = client_of(request.getfixturevalue(who))
    assert client.get("/backups").status_code == 403
    assert client.get("/backups/export/csv").status_code == 403
    assert client.get(f"/backups/{backup.file}/download").status_code == 403


def test_pages_ask_to_sign_in_when_nobody_has(client, backup):
    assert client.get(f"/backups/{backup.file}/download").status_code == 302


def test_notification_tells_the_moment_when_a_backup_was_restored(client_of, amal, backup):
    restoring.restore_backup(backup.file)
    text = client_of(amal).get("/notifications?lang=en").text
    assert f"restored {backup.file}" in text
    assert f"{backup.created_at:%Y} " in text
