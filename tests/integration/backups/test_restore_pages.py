"""Restoring from the page: the question, the process it starts, and what people are told."""

from pathlib import Path

import pytest
from sqlalchemy import select, update

from k9ops.accounts.models import User
from k9ops.audit.models import AuditEntry
from k9ops.backups import journal, services
from k9ops.core.db import db
from k9ops.core.files import locked
from k9ops.jobs.models import JobRun
from k9ops.jobs.states import State
from k9ops.notifications.models import Notification
from tests.support.backups import halve
from tests.support.pages import faults, typed
from tests.support.people import form_token
from tests.support.waiting import wait_until

PROGRESS = "/backups/restore?lang=en"


@pytest.fixture
def page(client_of, amal):
    return client_of(amal)


@pytest.fixture
def backup(context):
    """A backup of a moment when Badr had another name than now."""
    rename("Badr of then")
    made = services.make_backup()
    rename("Badr of now")
    return made


@pytest.fixture
def instance(context):
    return Path(context.instance_path)


def rename(name: str) -> None:
    db.session.execute(update(User).where(User.username == "badr").values(full_name=name))
    db.session.commit()


def badr() -> str:
    db.session.rollback()
    return db.session.scalar(select(User.full_name).where(User.username == "badr"))


def ask(client, file: str, **fields):
    fields = {"reason": "A list was emptied by mistake", "word": "restore", **fields}
    token = form_token(client)
    address = f"/backups/{file}/restore?lang=en"
    return client.post(address, data={"csrf_token": token, **fields})


def ended(instance: Path) -> dict:
    """The journal of the restore, once it has ended."""
    wait_until(lambda: (journal.read(instance) or {}).get("outcome"), 60)
    wait_until(lambda: not journal.is_running(instance), 10)
    return journal.read(instance)


def actions() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_question_tells_what_will_happen_and_what_is_lost(page, backup):
    text = page.get(f"/backups/{backup.file}/restore?lang=en").text
    assert "A safety backup of the present data is made." in text
    assert "0 runs of jobs" in text
    assert "Keep today" in text


@pytest.mark.parametrize(
    ("field", "value"),
    [("word", ""), ("word", "yes"), ("reason", ""), ("reason", " "), ("reason", "x" * 501)],
)
def test_question_is_asked_again_when_a_field_is_wrong(page, backup, instance, field, value):
    answer = ask(page, backup.file, **{field: value})
    assert answer.status_code == 422
    assert list(faults(answer.text)) == [field]
    if field == "word":
        assert typed(answer.text, "reason") == "A list was emptied by mistake"
    assert journal.read(instance) is None


def test_restore_brings_the_data_back_and_tells_people(page, backup, instance):
    answer = ask(page, backup.file)
    assert (answer.status_code, answer.location) == (303, "/backups/restore")
    assert page.get(PROGRESS).status_code == 200
    found = ended(instance)
    assert (found["outcome"], found["message"]) == ("restored", "")
    text = page.get(PROGRESS).text
    assert "The backup is restored" in text
    assert "A list was emptied by mistake" in text
    assert badr() == "Badr of then"
    run = db.session.get(JobRun, found["result"]["run_id"])
    assert (run.state, run.requested_by) == (State.SUCCEEDED, "amal")
    assert "Restore a backup" in page.get(f"/runs/{run.id}?lang=en").text
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert (entry.action, entry.actor_name) == ("backup.restored", "amal")
    assert entry.detail["reason"] == "A list was emptied by mistake"
    kinds = db.session.scalars(select(Notification.kind)).all()
    assert kinds == ["backup.restored"]


def test_progress_is_told_to_who_asked_when_the_data_no_longer_knows_them(page, backup, instance):
    ask(page, backup.file)
    ended(instance)
    db.session.execute(update(User).where(User.username == "amal").values(active=False))
    db.session.commit()
    assert page.get("/backups").status_code == 302
    assert "The backup is restored" in page.get(PROGRESS).text


def test_failed_restore_changes_nothing_and_is_told(page, backup, instance):
    halve(backup.path)
    ask(page, backup.file)
    assert ended(instance)["outcome"] == "refused"
    text = page.get(PROGRESS).text
    assert "The backup was refused" in text
    assert "The live data is as it was." in text
    assert badr() == "Badr of now"
    assert actions()[-1] == "backup.restore_failed"
    assert "tried to restore" in page.get("/notifications?lang=en").text
    assert "Cannot restore" in page.get("/backups?lang=en").text
    assert ask(page, backup.file).status_code == 409


def test_process_that_cannot_start_leaves_no_restore_under_way(page, backup, instance, monkeypatch):
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    assert ask(page, backup.file).location == "/backups/restore"
    assert "Its process could not be started." in page.get(PROGRESS).text
    assert not journal.is_running(instance)


def test_second_restore_is_led_to_the_first(page, backup, instance):
    with locked(instance / journal.LOCK, wait=False):
        first = journal.Journal.begin(instance, "first.zst")
        first.step("verify")
        answer = ask(page, backup.file)
        assert (answer.status_code, answer.location) == (303, "/backups/restore")
        text = page.get(PROGRESS).text
        assert "first.zst" in text
        assert "going on" in text
        assert "A backup is being restored" in page.get("/backups?lang=en").text
    assert badr() == "Badr of now"


def test_killed_restore_is_told_as_such(page, backup, instance):
    journal.Journal.begin(instance, backup.file).step("verify")
    assert "Its process was killed before anything was replaced" in page.get(PROGRESS).text
    assert "ended before it was done" in page.get("/backups?lang=en").text


def test_progress_leads_to_the_backups_when_nothing_was_ever_restored(page, context):
    assert page.get(PROGRESS).location == "/backups"


@pytest.mark.parametrize("text", ["", "{", "\udcff"])
def test_restore_goes_on_when_the_last_journal_is_damaged(page, backup, instance, text):
    (instance / journal.NAME).write_text(text, errors="surrogateescape")
    assert page.get("/backups").status_code == 200
    assert page.get(f"/backups/{backup.file}/restore").status_code == 200
    ask(page, backup.file)
    assert ended(instance)["outcome"] == "restored"


@pytest.mark.parametrize("who", ["badr", "caline"])
def test_people_are_refused_when_they_may_not_restore(who, request, client_of, backup, instance):
    client = client_of(request.getfixturevalue(who))
    assert client.get(f"/backups/{backup.file}/restore").status_code == 403
    assert ask(client, backup.file).status_code == 403
    journal.Journal.begin(instance, backup.file)
    # Not led to the sign-in, which leads whoever is signed in back here, and so on.
    assert client.get("/backups/restore").status_code == 403


def test_progress_asks_to_sign_in_when_nobody_has(client, backup, instance):
    journal.Journal.begin(instance, backup.file)
    assert client.get("/backups/restore").location == "/sign-in?next=/backups/restore"


def test_unknown_backup_is_not_found(page, context):
    assert page.get("/backups/nothing.zst/restore").status_code == 404
