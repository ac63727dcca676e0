"""Recording: keys, arguments, open transactions, the caller's own transaction."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import func, select

from k9ops.core.db import db
from k9ops.core.errors import BadInput
from k9ops.jobs import dispatch, enqueue
from k9ops.jobs.dispatch import dispatch_once
from k9ops.jobs.errors import KeyInUse, OpenTransaction, UnknownJob
from k9ops.jobs.models import JobRun
from k9ops.notifications.models import Notification


def count() -> int:
    return db.session.scalar(select(func.count()).select_from(JobRun))


def test_dispatch_gives_the_same_run_when_the_key_is_the_same(engine_app: Flask):
    first, new = dispatch_once("test.sleep", {"seconds": 0}, key="k")
    second, again = dispatch_once("test.sleep", {"seconds": 0}, key="k")
    assert (first.id, new, again) == (second.id, True, False)


def test_dispatch_gives_one_run_when_many_threads_use_a_key(engine_app: Flask):
    def one(_: int) -> str:
        with engine_app.app_context():
            return dispatch("test.sleep", key="race").id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(one, range(40)))) == 1


def test_dispatch_refuses_a_key_with_other_arguments(engine_app: Flask):
    dispatch("test.sleep", {"seconds": 0}, key="k")
    with pytest.raises(KeyInUse) as caught:
        dispatch("test.sleep", {"seconds": 1}, key="k")
    assert (caught.value.field, caught.value.status) == ("key", 409)


@pytest.mark.parametrize(
    ("name", "options", "error", "field"),
    [
        ("test.slep", {}, UnknownJob, "name"),
        ("test.sleep", {"arguments": {"x": 1}}, BadInput, "x"),
        ("test.sleep", {"via": "pigeon"}, BadInput, "via"),
        ("test.sleep", {"key": ""}, BadInput, "key"),
        ("test.sleep", {"key": "k" * 300}, BadInput, "key"),
    ],
)
def test_dispatch_refuses_bad_input_and_records_nothing(
    engine_app: Flask, name: str, options: dict, error: type, field: str
):
    with pytest.raises(error) as caught:
        dispatch(name, **options)
    assert caught.value.field == field
    assert count() == 0


def test_dispatch_is_refused_while_the_session_holds_writes(engine_app: Flask, user_id: int):
    db.session.add(Notification(user_id=user_id, kind="test", params={}))
    with pytest.raises(OpenTransaction):
        dispatch("test.sleep")
    db.session.flush()
    with pytest.raises(OpenTransaction):
        dispatch("test.sleep")
    db.session.commit()
    assert dispatch("test.sleep").state == "queued"


def test_enqueue_records_nothing_when_the_caller_rolls_back(engine_app: Flask):
    enqueue("test.sleep")
    db.session.rollback()
    assert count() == 0


def test_dispatch_is_refused_between_enqueue_and_its_commit(engine_app: Flask):
    enqueue("test.sleep")
    with pytest.raises(OpenTransaction):
        dispatch("test.sleep")


def test_enqueue_records_with_the_callers_commit(engine_app: Flask, user_id: int):
    db.session.add(Notification(user_id=user_id, kind="test", params={}))
    run = enqueue("test.sleep", key="mine")
    db.session.commit()
    assert dispatch("test.sleep", key="mine").id == run.id
