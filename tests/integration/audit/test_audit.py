"""The audit trail: written with the act, read by filter and page."""

from datetime import timedelta

from k9ops.audit.queries import AuditFilter, list_entries
from k9ops.audit.services import COMMAND_LINE, Actor, Target, record
from k9ops.core.clock import read_now
from k9ops.core.db import db


def act(action: str, number: int = 0, actor: Actor = COMMAND_LINE) -> None:
    record(db.session(), actor, action, Target("run", number, "test.sleep"), {"n": number})


def found(**wanted: object) -> list[int]:
    entries = list_entries(db.session(), AuditFilter(target_kind="run", **wanted)).items
    return [entry.detail["n"] for entry in entries]


def test_record_stands_or_falls_with_the_callers_transaction(context):
    act("run.retried", 1)
    db.session.rollback()
    assert found() == []
    act("run.retried", 2)
    db.session.commit()
    assert found() == [2]


def test_record_takes_names_longer_than_its_columns(context):
    record(db.session(), Actor("a" * 500), "x.y", Target("t", "i" * 500, "n" * 500))
    db.session.commit()
    entry = list_entries(db.session(), AuditFilter(action="x.y")).items[0]
    assert (len(entry.actor_name), len(entry.target_id), len(entry.target_name)) == (200, 300, 300)


def test_filter_finds_by_each_field(context):
    act("run.retried", 1, Actor("amal", id=7, ip="10.0.0.1"))
    act("run.cancelled", 2)
    db.session.commit()
    now = read_now(db.session())
    assert found(action="run.cancelled") == [2]
    assert found(actor_id=7) == [1]
    assert found(target_id="2") == [2]
    assert found(since=now - timedelta(minutes=1)) == [2, 1]
    assert found(until=now - timedelta(minutes=1)) == []


def test_pages_go_back_and_forth(context):
    for number in range(5):
        act("run.retried", number)
    db.session.commit()
    wanted = AuditFilter(action="run.retried")
    first = list_entries(db.session(), wanted, limit=2)
    second = list_entries(db.session(), wanted, limit=2, before=first.older)
    assert [entry.detail["n"] for entry in second.items] == [2, 1]
    back = list_entries(db.session(), wanted, limit=2, after=second.newer)
    assert [entry.id for entry in back.items] == [entry.id for entry in first.items]
