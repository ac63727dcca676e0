"""The list of runs in each of its orders, paged by key among many."""

import re
from collections.abc import Callable
from itertools import chain

import pytest
from flask import Flask
from sqlalchemy import delete, insert, text, update

from k9ops.core.clock import utcnow
from k9ops.core.db import db, new_id
from k9ops.core.paging import Order
from k9ops.jobs.models import JobRun
from k9ops.jobs.queries import RUN_HEADS, RunFilter, list_runs
from k9ops.jobs.states import State
from k9ops.monitoring import queries as monitoring
from tests.support.statements import noted, plan_of

ORDERS = [Order(by, down) for by in RUN_HEADS for down in (False, True)]
STATES = (State.SUCCEEDED, State.FAILED, State.MISSED)


@pytest.fixture
def fill(context: Flask) -> Callable[[int], list[dict]]:
    """`fill(n)`: n runs, many of which took the same time, and some of which never ran."""

    def write(count: int) -> list[dict]:
        now = utcnow()
        rows = [
            {
                "id": new_id(),
                "job": f"test.{number % 4}",
                "occurrence": f"key:{number}",
                "state": STATES[number % 3],
                "duration_ms": None if number % 3 == 2 else float(number % 5),
                "queue": "k9_tasks",
                "priority": 5,
                "queued_at": now,
                "available_at": now,
                "error_message": "no space left" if number % 3 == 1 else None,
            }
            for number in range(count)
        ]
        with db.engine.begin() as connection:
            connection.execute(insert(JobRun), rows)
            connection.execute(text("ANALYZE"))
        return rows

    return write


def sorted_ids(rows: list[dict], order: Order) -> list[str]:
    name = RUN_HEADS[order.by].key
    filled = [row for row in rows if row[name] is not None]
    empty = [row for row in rows if row[name] is None]
    filled.sort(key=lambda row: (row[name], row["id"]), reverse=order.down)
    empty.sort(key=lambda row: row["id"], reverse=order.down)
    return [row["id"] for row in filled + empty]


def walk(wanted: RunFilter, order: Order, limit: int) -> tuple[list[list[str]], list[list[str]]]:
    """The pages on the way to the end, and those on the way back."""
    page, there, back = list_runs(wanted, limit, order=order), [], []
    assert page.newer is None
    while True:
        there.append([run.id for run in page.items])
        if page.older is None:
            break
        page = list_runs(wanted, limit, before=page.older, order=order)
    while page.newer is not None:
        page = list_runs(wanted, limit, after=page.newer, order=order)
        back.append([run.id for run in page.items])
    return there, back


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_pages_follow_each_other_both_ways_in_each_order(fill, order):
    rows = fill(40)
    for limit in (7, 40):
        there, back = walk(RunFilter(), order, limit)
        assert [*chain(*there)] == sorted_ids(rows, order)
        assert back == there[-2::-1]


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_pages_of_a_filter_and_of_a_search_keep_the_order(fill, order):
    rows = [row for row in fill(40) if row["state"] == State.FAILED]
    for wanted in (RunFilter(states=(State.FAILED,)), RunFilter(search="left SPACE")):
        there, back = walk(wanted, order, 4)
        assert [*chain(*there)] == sorted_ids(rows, order)
        assert back == there[-2::-1]


def change(run_id: str, **values: object) -> None:
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(update(JobRun).where(JobRun.id == run_id).values(values))


@pytest.mark.parametrize(
    ("by", "values"),
    [
        ("state", {"state": State.CANCELLED}),
        ("state", {"state": State.SUCCEEDED}),
        ("job", {"job": "a.first"}),
        ("took", {"duration_ms": 99.0}),
        ("took", {"duration_ms": None}),
    ],
)
@pytest.mark.parametrize("down", [False, True])
def test_next_page_follows_what_was_shown_though_its_edge_moved(fill, by, values, down):
    order = Order(by, down)
    ids = sorted_ids(fill(20), order)
    first = list_runs(RunFilter(), 6, order=order)
    change(ids[5], **values)
    following = [
        run.id for run in list_runs(RunFilter(), 20, before=first.older, order=order).items
    ]
    # The one that moved may come again where it stands now.
    assert [one for one in following if one != ids[5]] == ids[6:]


@pytest.mark.parametrize("down", [False, True])
def test_page_before_goes_before_what_was_shown_though_its_edge_moved(fill, down):
    order = Order("took", down)
    ids = sorted_ids(fill(20), order)
    first = list_runs(RunFilter(), 6, order=order)
    second = list_runs(RunFilter(), 6, before=first.older, order=order)
    change(ids[6], duration_ms=None)
    page = list_runs(RunFilter(), 6, after=second.newer, order=order)
    assert [run.id for run in page.items] == ids[:6]


def test_file_misses_no_run_that_stays_where_it_was(fill, monkeypatch):
    monkeypatch.setattr(monitoring, "_READ_AT_ONCE", 6)
    order = Order("state")
    ids, seen = sorted_ids(fill(20), order), []
    for run in monitoring.every_run(RunFilter(), order):
        seen.append(run.id)
        if len(seen) == 6:
            change(run.id, state=State.SUCCEEDED)
    assert [one for one in seen if one != ids[5]] == [*ids[:5], *ids[6:]]


def test_page_after_a_run_that_is_gone_goes_on_from_where_it_stood(fill):
    order = Order("took")
    ids = sorted_ids(fill(20), order)
    page = list_runs(RunFilter(), 5, order=order)
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(delete(JobRun).where(JobRun.id == ids[4]))
    page = list_runs(RunFilter(), 5, before=page.older, order=order)
    assert [run.id for run in page.items] == ids[5:10]


@pytest.mark.parametrize(
    ("by", "value"),
    [("took", "~soon"), ("took", "~nan"), ("state", ""), ("state", "~\0"), ("due", "~1")],
)
def test_place_of_another_order_is_the_first_page(fill, by, value):
    ids = sorted_ids(fill(20), Order(by))
    page = list_runs(RunFilter(), 5, before=f"{ids[9]}{value}", order=Order(by))
    assert ([run.id for run in page.items], page.newer) == (ids[:5], None)


@pytest.mark.parametrize("down", [False, True])
def test_few_runs_without_a_duration_are_found_by_an_index(fill, down):
    fill(5_000)
    with db.engine.begin() as connection:
        ran = update(JobRun).where(JobRun.occurrence != "key:2", JobRun.duration_ms.is_(None))
        connection.execute(ran.values(duration_ms=7.0))
        connection.execute(text("ANALYZE"))
    with noted(db.engine) as statements:
        list_runs(RunFilter(), before=new_id(), order=Order("took", down))
    for statement, values in statements:
        assert "ix_job_runs_untimed" in plan_of(db.engine, statement, values)


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_each_order_is_served_by_an_index(fill, order):
    fill(5_000)
    place = list_runs(RunFilter(), 2_000, order=order).older
    with noted(db.engine) as statements:
        list_runs(RunFilter(), order=order)
        list_runs(RunFilter(), before=place, order=order)
        list_runs(RunFilter(), after=place, order=order)
    for statement, values in statements:
        plan = plan_of(db.engine, statement, values)
        assert not re.search(r"Seq Scan|Sort|SCAN job_runs(?! USING)|TEMP B-TREE", plan), plan
