"""Changing a job's schedule on its page: previewed, explained, guarded, versioned, audited."""

import pytest
from sqlalchemy import select

from k9ops.audit.models import AuditEntry
from k9ops.core.db import db
from k9ops.jobs.models import PeriodicTask, TaskVersion
from k9ops.jobs.tasks import pause_task, schedule_task
from tests.support.pages import faults, send, typed, words_of
from tests.support.statements import counted

PAGE = "/jobs/test.progress/schedule"
FIELDS = {
    "kind": "cron",
    "cron": "30 6 * * *",
    "every": "1",
    "unit": "hours",
    "timezone": "Asia/Riyadh",
    "misfire": "latest",
    "overlap": "allow",
    "seen": "0",
}


@pytest.fixture
def page(client_of, amal):
    return client_of(amal)


@pytest.fixture
def task(app):
    """A task that somebody scheduled."""
    with app.app_context():
        return schedule_task("test.progress", cron="0 3 * * *", by="amal")


def the_task():
    return db.session.scalars(select(PeriodicTask).filter_by(name="test.progress")).one()


def test_schedule_page_tells_what_holds_and_its_next_ten_times(page, task):
    text = page.get(f"{PAGE}?lang=en").text
    assert "At 03:00, every day" in text
    assert text[text.index('class="dues"') :].count("<li>") == 10
    assert "كل يوم" in page.get(f"{PAGE}?lang=ar").text


def test_schedule_is_previewed_before_it_is_saved(page, app, task):
    answer = send(page, PAGE, **FIELDS | {"cron": "*/15 8-17 * * 0-4", "preview": "yes"})
    assert answer.status_code == 200
    assert "Every 15 minutes, from 08:00 to 17:59, from Sunday to Thursday" in answer.text
    assert typed(answer.text, "cron") == "*/15 8-17 * * 0-4"
    with app.app_context():
        assert the_task().cron == "0 3 * * *"


def test_schedule_is_saved_versioned_and_audited(page, app, task):
    answer = send(page, PAGE, **FIELDS | {"seen": task.version, "misfire": "each"})
    assert answer.status_code == 303
    with app.app_context():
        now = the_task()
        assert (now.cron, now.misfire, now.edited_by) == ("30 6 * * *", "each", "amal")
        versions = db.session.scalars(
            select(TaskVersion).filter_by(task_id=now.id).order_by(TaskVersion.version)
        ).all()
        assert [one.cron for one in versions] == ["0 3 * * *", "30 6 * * *"]
        entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert (entry.action, entry.actor_name) == ("task.scheduled", "amal")
        assert entry.detail["changes"]["cron"] == ["0 3 * * *", "30 6 * * *"]


def test_schedule_may_be_given_to_a_job_that_had_none(page, app):
    assert page.get(PAGE).status_code == 200
    sent = FIELDS | {"kind": "every", "every": "90", "unit": "minutes"}
    assert send(page, PAGE, **sent).status_code == 303
    with app.app_context():
        assert the_task().every_seconds == 5400


@pytest.mark.parametrize(
    ("cron", "told"),
    [
        ("0 25 * * *", "Give 0 to 23"),
        ("61 2 * JANU *", "Give 1 to 12"),
        ("0 2 * *", "This has 4."),
        ("0 0 2 * * *", "This has 6."),
        ("", "This has 0."),
        ("0 2 30 2 *", "it would never run"),
        (f"{'0,' * 200}0 2 * * *", "At most 200 characters."),
        ("0 2 5-1 * *", "Give 1 to 31"),
        ("0 2 * * #", "Give 0 to 7"),
        ("- / , L #", "Give 0 to 59"),
    ],
)
def test_wrong_crontab_is_explained_field_by_field(page, app, task, cron, told):
    answer = send(page, PAGE, **FIELDS | {"cron": cron, "seen": task.version})
    assert answer.status_code == 422
    assert "cron" in faults(answer.text)
    assert told in words_of(answer)
    assert typed(answer.text, "cron") == cron
    with app.app_context():
        assert the_task().version == task.version


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"kind": "every", "every": "soon"}, "every"),
        ({"kind": "every", "every": ""}, "every"),
        ({"kind": "every", "every": "0"}, "every"),
        ({"kind": "every", "every": "nan"}, "every"),
        ({"kind": "every", "every": "1e300"}, "every"),
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"misfire": "never"}, "misfire"),
        ({"unit": "years"}, "unit"),
    ],
)
def test_wrong_schedule_is_told_beside_its_field(page, sent, field):
    answer = send(page, PAGE, **FIELDS | sent)
    assert answer.status_code == 422
    assert field in faults(answer.text)


def test_schedule_is_refused_once_when_somebody_was_faster(page, app, task):
    with app.app_context():
        faster = schedule_task("test.progress", cron="0 5 * * *", by="badr")
    answer = send(page, PAGE, **FIELDS | {"seen": task.version})
    assert answer.status_code == 409
    assert "At 05:00, every day" in words_of(answer)
    assert typed(answer.text, "cron") == "30 6 * * *"
    assert typed(answer.text, "seen") == str(faster.version)
    assert send(page, PAGE, **FIELDS | {"seen": faster.version}).status_code == 303


def test_versions_tell_who_changed_what_and_offer_it_again(page, app, task):
    with app.app_context():
        schedule_task("test.progress", every=600, overlap="skip", by="badr")
        pause_task("test.progress", "amal")
    answer = page.get(f"{PAGE}/versions?lang=en")
    words = words_of(answer)
    assert "At 03:00, every day Every 10 minutes" in words
    assert words.index("Paused") < words.index("badr") < words.rindex("amal")
    assert f"{PAGE}?version={task.version}" in answer.text
    text = page.get(f"{PAGE}?version={task.version}&lang=en").text
    assert "Filled in from version" in text
    assert typed(text, "cron") == "0 3 * * *"
    assert page.get(f"{PAGE}?version=99").status_code == 404


def test_schedule_pages_are_known_only_for_known_jobs_and_who_may(page, client_of, badr):
    assert page.get("/jobs/test.nothing/schedule").status_code == 404
    assert page.get(f"{PAGE}/versions?lang=en").status_code == 200
    assert client_of(badr).get(PAGE).status_code == 403


def test_schedule_pages_ask_few_statements(page, app, task):
    for path in (PAGE, f"{PAGE}/versions"):
        page.get(path)
        with counted(app) as statements:
            page.get(path)
        assert len(statements) <= 10, "\n".join(statements)
