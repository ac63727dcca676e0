"""What watchers of the system are answered."""

import time
from datetime import timedelta

from sqlalchemy import update

from k9ops.app import create_app
from k9ops.core.clock import utcnow
from k9ops.core.db import db
from k9ops.jobs.models import PeriodicTask
from k9ops.jobs.tasks import schedule_task
from tests.support.databases import dispose, make_settings

CHECKS = {"database", "broker", "worker", "scheduler", "last_backup", "documents"}


def test_healthz_asks_nobody(client):
    assert (client.get("/healthz").status_code, client.get("/healthz").json) == (
        200,
        {"status": "ok"},
    )


def test_readyz_says_what_is_degraded_on_a_new_installation(client):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    checks = answer.json["checks"]
    assert checks.keys() == CHECKS
    assert all(check.keys() == {"status", "detail", "age_seconds"} for check in checks.values())
    states = {name: check["status"] for name, check in checks.items()}
    off = {"broker": "off", "worker": "off"}
    well = {"database": "ok", "scheduler": "ok", "documents": "ok"}
    assert states == off | well | {"last_backup": "degraded"}


def test_readyz_is_down_only_without_the_database(tmp_path):
    url = "postgresql://nobody@127.0.0.1:1/nothing"
    app = create_app(make_settings(tmp_path, database_url=url))
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (503, "down")
    assert answer.json["checks"]["database"]["status"] == "down"
    assert "nobody" not in answer.text
    dispose(app)


def test_readyz_answers_in_time_when_the_database_is_frozen(tmp_path, silent_server):
    url = f"postgresql://nobody@127.0.0.1:{silent_server}/nothing"
    app = create_app(make_settings(tmp_path, database_url=url))
    began = time.monotonic()
    answers = [app.test_client().get("/readyz") for _ in range(3)]
    assert time.monotonic() - began < 4
    assert [answer.status_code for answer in answers] == [503, 503, 503]


def test_scheduler_is_degraded_when_nobody_ticks(client, app):
    with app.app_context():
        schedule_task("test.sleep", every=60, by="amal")
        past = utcnow() - timedelta(minutes=5)
        db.session.execute(update(PeriodicTask).values(next_due_at=past))
        db.session.commit()
    check = client.get("/readyz").json["checks"]["scheduler"]
    assert check["status"] == "degraded"
    assert 299 < check["age_seconds"] < 360


def test_scheduler_is_off_when_the_settings_say_so(make_app):
    client = make_app(jobs_scheduler="off").test_client()
    assert client.get("/readyz").json["checks"]["scheduler"]["status"] == "off"
