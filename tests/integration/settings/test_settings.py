"""Settings that pages can change: what counts, who may change them, and what follows."""

import json

import pytest
from sqlalchemy import select, update

from k9ops.audit.models import AuditEntry
from k9ops.audit.services import COMMAND_LINE
from k9ops.core.db import db
from k9ops.core.errors import BadInput
from k9ops.core.seen import Stale
from k9ops.core.settings import (
    CHANGEABLE,
    Setting,
    current_settings,
    fixed_names,
    look_again,
    unit_id,
)
from k9ops.jobs.models import PeriodicTask
from k9ops.jobs.tasks import pause_task, sync_tasks
from k9ops.settings.forms import GROUPS, SettingsForm
from k9ops.settings.services import change_settings
from tests.support.pages import fields_of, send, words_of
from tests.support.people import signed_in_client
from tests.support.waiting import wait_until

BACKUP, LOCK = "backups.run_automated_backup", "schedules.auto_lock_schedules"


def change(**values):
    change_settings(values, actor=COMMAND_LINE)


def kept():
    db.session.rollback()
    rows = db.session.execute(select(Setting.name, Setting.value).where(Setting.name != "unit_id"))
    return {name: json.loads(value) for name, value in rows}


def task(name):
    db.session.rollback()
    return db.session.scalars(select(PeriodicTask).where(PeriodicTask.name == name)).one()


@pytest.fixture
def page(client_of, amal, context):
    return client_of(amal)


def shown(page):
    return fields_of(page.get("/settings?lang=en").text)


def test_row_counts_before_the_default_and_after_the_environment(make_app):
    with make_app(backup_hour=4).app_context():
        assert fixed_names() == {"backup_hour"}
        change(backup_keep_daily=9)
        assert current_settings().backup_keep_daily == 9
        assert current_settings().backup_hour == 4
        with pytest.raises(BadInput) as refused:
            change(backup_hour=5)
        assert refused.value.field == "backup_hour"
    with make_app().app_context():
        assert current_settings().backup_keep_daily == 9


def test_row_goes_when_the_default_is_chosen_again(context):
    change(unit_name="كتيبة الواحة", backup_frequency="weekly")
    assert kept() == {"unit_name": "كتيبة الواحة", "backup_frequency": "weekly"}
    change(unit_name="  ", backup_frequency="daily")
    assert kept() == {}
    assert current_settings().unit_name == "K9 Ops"


def test_rows_that_no_page_writes_do_not_count(context):
    rows = {"backup_hour": "99", "backup_keep_last": "{", "database_url": '"sqlite:///x.db"'}
    db.session.add_all(Setting(name=name, value=text) for name, text in rows.items())
    db.session.commit()
    before = current_settings()
    assert look_again().model_dump() == before.model_dump()


@pytest.mark.parametrize(
    ("name", "value"),
    [("backup_hour", 24), ("backup_keep_last", 0), ("notification_retention_days", 0),
     ("backup_frequency", "hourly"), ("google_drive_folder_id", "a b"), ("unit_name", "x" * 121),
     ("unit_name", "a\0b"), ("database_url", "sqlite:///x.db"), ("backup_hour", None)],
)  # fmt: skip
def test_change_refuses_what_the_environment_would_refuse(context, name, value):
    with pytest.raises(BadInput) as refused:
        change(**{name: value})
    assert refused.value.field == name
    assert kept() == {}


def test_change_is_audited_with_both_values(context):
    change(backup_hour=5, backup_keep_daily=7)
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
    assert (entry.action, entry.detail) == ("setting.changed", {"backup_hour": [2, 5]})


def test_schedules_follow_unless_a_person_edited_them(context):
    sync_tasks()
    pause_task(LOCK, "amal")
    change(backup_hour=5, schedule_auto_lock_hour=9)
    assert task(BACKUP).cron == "0 5 * * *"
    assert task(LOCK).cron == "30 6 * * *"
    change(backup_frequency="off")
    assert not task(BACKUP).enabled
    change(backup_frequency="monthly")
    assert (task(BACKUP).enabled, task(BACKUP).cron) == (True, "0 5 1 * *")


def test_unit_has_an_id_that_stays(context):
    first = unit_id()
    change(unit_name="Oasis")
    assert len(first) == 32
    assert unit_id() == first


def test_page_shows_every_changeable_setting_in_one_group(context):
    with context.test_request_context():
        fields = set(SettingsForm(current_settings()).changed_values())
    assert fields == set(CHANGEABLE)
    assert sorted(name for group in GROUPS for name in group.names) == sorted(CHANGEABLE)


def test_page_saves_what_was_typed(page):
    answer = send(page, "/settings", **shown(page) | {"unit_name": "Oasis", "backup_hour": "23"})
    assert answer.status_code == 303
    assert kept() == {"unit_name": "Oasis", "backup_hour": 23}
    text = page.get("/settings?lang=en").text
    assert "The settings were saved." in text
    assert "<bdi>Oasis</bdi>" in text


def test_page_keeps_what_was_typed_beside_the_fault(page):
    typed = {"unit_name": "Oasis <b>", "backup_keep_daily": "many", "backup_keep_last": "0"}
    answer = send(page, "/settings", **shown(page) | typed)
    assert answer.status_code == 422
    assert "2 fields are wrong" in words_of(answer)
    assert "Between 1 and 1000." in words_of(answer)
    assert typed.items() <= fields_of(answer.text).items()
    assert kept() == {}


def test_page_tells_of_a_change_meanwhile_and_saves_the_second_time(page):
    typed = shown(page) | {"backup_hour": "7"}
    change(backup_hour=5)
    refused = send(page, "/settings", **typed)
    assert refused.status_code == 422
    assert "now: 05:00" in words_of(refused)
    assert kept() == {"backup_hour": 5}
    assert send(page, "/settings", **fields_of(refused.text)).status_code == 303
    assert kept() == {"backup_hour": 7}


def test_change_refuses_what_it_has_not_seen(context):
    with pytest.raises(Stale):
        change_settings({"backup_hour": 3}, actor=COMMAND_LINE, seen="another")


def test_page_shows_what_the_environment_gives_and_never_writes_it(make_app, amal):
    app = make_app(backup_hour=4)
    client = signed_in_client(app, amal)
    text = client.get("/settings?lang=en").text
    assert "BACKUP_HOUR" in text
    assert 'name="backup_hour"' not in text
    sent = fields_of(text) | {"backup_hour": "9", "unit_name": "Oasis"}
    assert send(client, "/settings", **sent).status_code == 303
    with app.app_context():
        assert kept() == {"unit_name": "Oasis"}


def test_page_says_when_a_schedule_goes_its_own_way(page):
    sync_tasks()
    assert "do not count" not in page.get("/settings?lang=en").text
    pause_task(BACKUP, "amal")
    assert "do not count" in page.get("/settings?lang=en").text


def test_page_is_for_administrators(client_of, badr, caline):
    for person in (badr, caline):
        assert client_of(person).get("/settings").status_code == 403


def test_other_application_follows_within_five_seconds(make_app):
    one, other = make_app(), make_app()
    with other.app_context():
        assert current_settings().backup_hour == 2
    with one.app_context():
        change(backup_hour=6)

    def follows():
        with other.app_context():
            return current_settings().backup_hour == 6

    wait_until(follows, 5)


def test_settings_stay_known_while_the_table_is_away(context):
    change(backup_hour=6)
    db.session.execute(update(Setting).where(Setting.name == "backup_hour").values(value="8"))
    db.session.commit()
    with db.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE settings RENAME TO away")
    assert look_again().backup_hour == 6
    with db.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO settings")
    assert look_again().backup_hour == 8
