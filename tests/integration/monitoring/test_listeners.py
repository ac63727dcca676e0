"""Administrators hear of failed runs, each once."""

from flask_babel import force_locale
from sqlalchemy import select

from k9ops.accounts.queries import find_user
from k9ops.core.db import db
from k9ops.jobs import dispatch
from k9ops.jobs.control import retry_run
from k9ops.jobs.foreground import run_here
from k9ops.notifications.kinds import show
from k9ops.notifications.models import Notification


def told() -> list[Notification]:
    db.session.rollback()
    return list(db.session.scalars(select(Notification).order_by(Notification.id)))


def test_failed_run_is_told_to_administrators_only(context):
    run = run_here(dispatch("test.fail", {"text": "the disk is full"}).id)
    rows = told()
    assert [row.user_id for row in rows] == [find_user("amal").id]
    with force_locale("en"):
        shown = show(rows[0])
    assert (shown.url, shown.family) == (f"/runs/{run.id}", "bad")
    assert "Fail" in shown.title
    assert "the disk is full" in shown.text


def test_each_failed_end_of_a_run_is_told_once(context):
    run = run_here(dispatch("test.permanent").id)
    assert len(told()) == 1
    run_here(retry_run(run.id, "amal").id)
    assert len(told()) == 2


def test_long_and_strange_reason_is_cut(context):
    run_here(dispatch("test.fail", {"text": "a\0b\nc", "repeat": 100_000}).id)
    assert len(told()[0].params["reason"]) < 400


def test_runs_that_did_not_fail_are_told_to_nobody(context):
    run_here(dispatch("test.sleep").id)
    run_here(dispatch("test.partial").id)
    assert told() == []
