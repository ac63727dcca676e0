"""What was read long ago goes; nothing else does, whatever happens in the middle."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import event

from k9ops.core.db import db
from k9ops.jobs import dispatch
from k9ops.jobs.claims import Claim, Ending, claim, end_attempt
from k9ops.jobs.context import RunContext
from k9ops.jobs.errors import Stopped
from k9ops.jobs.foreground import run_here
from k9ops.jobs.models import JobRun
from k9ops.jobs.registry import get_job
from k9ops.jobs.runner import perform
from k9ops.jobs.states import Outcome, Path
from k9ops.jobs.triggers import next_due
from k9ops.notifications.cleanup import delete_read
from k9ops.notifications.jobs import CLEAN_UP, cleanup_old_notifications
from tests.support.databases import on_one_kind
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("context")


def clean_up(**arguments: object) -> JobRun:
    return run_here(dispatch(CLEAN_UP, arguments).id)


def silent(_done: int, _total: int, _rows: int) -> None:
    """Nobody watches."""


def test_cleanup_deletes_only_what_was_read_longer_ago_than_the_retention(fill, ids):
    fill(3, read_days_ago=31)
    kept = fill(2, read_days_ago=29)
    fill(3, read_days_ago=300)
    run = clean_up()
    assert (run.state, run.result["deleted"], run.result["left"]) == ("succeeded", 6, 0)
    assert ids() == kept


def test_cleanup_never_deletes_unread_ones(fill, ids):
    kept = fill(3, created_days_ago=1000)
    clean_up(days=1)
    assert ids() == kept


def test_cleanup_keeps_one_made_long_ago_and_read_today(fill, ids):
    kept = fill(1, created_days_ago=1000, read_days_ago=0.1)
    fill(1, created_days_ago=1000, read_days_ago=50)
    clean_up()
    assert ids() == kept


def test_cleanup_takes_the_retention_from_the_setting(make_app, database_url, fill, ids):
    kept = fill(1, read_days_ago=80)
    fill(1, read_days_ago=110)
    with make_app(notification_retention_days=100).app_context():
        clean_up()
    assert ids() == kept


def test_days_given_win_over_the_setting(fill, ids):
    fill(1, read_days_ago=8)
    kept = fill(1, read_days_ago=6)
    assert clean_up(days=7).result["deleted"] == 1
    assert ids() == kept


def test_dry_run_counts_and_deletes_nothing(fill, ids):
    fill(5, read_days_ago=40)
    fill(2)
    before = ids()
    run = clean_up(dry_run=True)
    result = run.result
    assert (run.state, result["deleted"], result["left"]) == ("succeeded", 0, 5)
    assert result["dry_run"]
    assert datetime.fromisoformat(result["read_before"]) < datetime.now(UTC)
    assert ids() == before


def test_cleanup_of_an_empty_table_succeeds():
    assert clean_up().result["deleted"] == 0


def test_cleanup_finds_all_of_them_behind_wide_gaps(fill, ids):
    """Ranges without any old row, short batches, and more rows than fit into the first range."""
    first = fill(3000, read_days_ago=40)
    kept = fill(3000)
    fill(3000, read_days_ago=40)
    assert clean_up().result["deleted"] == 6000
    assert ids() == kept
    assert min(kept) > max(first)


def test_cleanup_tells_what_is_left_when_its_time_is_up_and_the_next_run_goes_on(fill, ids):
    fill(4, read_days_ago=40)
    kept = fill(1)
    first = clean_up(budget_seconds=0)
    assert (first.state, first.result["deleted"], first.result["left"]) == ("partial", 0, 4)
    assert "4 left" in first.text
    assert len(ids()) == 5
    second = clean_up()
    assert (second.state, second.result["deleted"]) == ("succeeded", 4)
    assert ids() == kept


def test_cleanup_counts_exactly_what_it_left_when_its_time_is_up_midway(fill, ids):
    fill(30_000, read_days_ago=40)
    done = delete_read(30, silent, budget_seconds=0.1)
    assert done.deleted > 0
    assert done.deleted + done.left == 30_000
    assert len(ids()) == done.left


def test_cleanup_ends_although_each_statement_is_slow(fill, ids):
    fill(3000, read_days_ago=40)
    seen = []

    def slow_down(_connection, _cursor, statement, *_rest):
        if statement.startswith("DELETE"):
            seen.append(statement)
            time.sleep(0.06)

    event.listen(db.engine, "before_cursor_execute", slow_down)
    assert delete_read(30, silent, budget_seconds=60).deleted == 3000
    event.remove(db.engine, "before_cursor_execute", slow_down)
    assert 3 < len(seen) < 15


def test_cleanup_stops_between_two_ranges_when_it_is_told_to(fill, ids):
    fill(5000, read_days_ago=40)
    kept = fill(10)
    told = []

    def stop_after_two(done: int, total: int, rows: int) -> None:
        told.append((done, total, rows))
        if len(told) == 3:
            raise Stopped("cancelled")

    with pytest.raises(Stopped):
        delete_read(30, stop_after_two, budget_seconds=60)
    deleted = told[-1][2]
    assert 0 < deleted < 5000
    assert len(ids()) == 5010 - deleted
    delete_read(30, silent, budget_seconds=60)
    assert ids() == kept


@pytest.fixture
def won() -> Claim:
    """A run of the cleanup that this process has claimed."""
    run = dispatch(CLEAN_UP)
    with db.engine.begin() as connection:
        claimed = claim(connection, run.id, Path.IN_PROCESS, "cli:gone:1")
    assert claimed is not None
    return claimed


@contextmanager
def once_it_deletes(ids: Callable[[], list[int]]) -> Iterator[Callable[..., None]]:
    """Take what `then(function)` is given in a thread, as soon as rows begin to go."""
    before, threads = len(ids()), []

    def then(function: Callable[[], object], app: Flask) -> None:
        def work() -> None:
            wait_until(lambda: len(ids()) < before, pause=0.005)
            with app.app_context():
                function()

        threads.append(threading.Thread(target=work))
        threads[-1].start()

    yield then
    for thread in threads:
        thread.join(20)


def lose(won: Claim) -> None:
    with db.engine.begin() as connection:
        end_attempt(connection, won, Ending(Outcome.LOST, code="lost"))


def test_cancelled_cleanup_keeps_what_it_had_not_reached(fill, ids, app, won):
    fill(100_000, read_days_ago=40)
    kept = fill(10)
    run = RunContext(won, db.engine, get_job(CLEAN_UP).options)
    with once_it_deletes(ids) as then, run.active():
        then(lambda: run.stop("cancelled"), app)
        with pytest.raises(Stopped):
            cleanup_old_notifications()
    assert 10 < len(ids()) < 100_010
    clean_up()
    assert ids() == kept


def test_cleanup_that_lost_its_run_stops_and_the_next_attempt_ends_it(fill, ids, app, won):
    fill(40_000, read_days_ago=40)
    kept = fill(10)
    with once_it_deletes(ids) as then:
        then(lambda: lose(won), app)
        perform(won)
    assert 10 < len(ids()) < 40_010
    again = run_here(won.run_id)
    assert [attempt.outcome for attempt in again.attempts] == ["lost", "succeeded"]
    assert ids() == kept


@on_one_kind
def test_cleanup_is_due_on_mondays_at_two_on_the_units_clock(app):
    trigger = get_job(CLEAN_UP).trigger_for(app.extensions["k9ops.settings"])
    due = next_due(trigger, datetime(2026, 3, 4, tzinfo=UTC))
    assert due == datetime(2026, 3, 8, 23, tzinfo=UTC)


@on_one_kind
def test_cleanup_works_without_a_run(fill, ids):
    fill(2, read_days_ago=40)
    assert cleanup_old_notifications()["deleted"] == 2


def test_command_waits_and_prints_the_count(runner, fill, ids):
    fill(12, read_days_ago=40)
    kept = fill(1, read_days_ago=5)
    looked = runner.invoke(args=["cleanup-notifications", "--dry-run"])
    assert re.search(
        r"12 notifications read before \d+-\d\d-\d\d \d\d:\d\d:\d\d would", looked.output
    )
    assert len(ids()) == 13
    done = runner.invoke(args=["cleanup-notifications"])
    assert (done.exit_code, done.output[:10]) == (0, "Deleted 12")
    assert ids() == kept


def test_command_prints_its_run_as_one_document_with_json(cli, fill, ids):
    fill(3, read_days_ago=9)
    done = cli("cleanup-notifications", "--days", "7", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["job"], document["state"], document["path"]) == (
        CLEAN_UP, "succeeded", "in_process",
    )  # fmt: skip
    assert document["result"]["deleted"] == 3
    assert ids() == []


@on_one_kind
@pytest.mark.parametrize("days", ["0", "-1", "4000", "many"])
def test_command_refuses_days_that_make_no_sense(runner, days):
    refused = runner.invoke(args=["cleanup-notifications", "--days", days, "--json"])
    assert refused.exit_code == 2
    assert json.loads(refused.output)["error"]["field"] == "days"
