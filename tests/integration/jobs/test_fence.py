"""An attempt that lost its run writes nothing more; one that is silent loses it."""

import threading
import time
from contextlib import ExitStack, suppress

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from k9ops.core.db import db
from k9ops.jobs import dispatch
from k9ops.jobs.claims import Claim, Ending, claim, end_attempt
from k9ops.jobs.context import RunContext
from k9ops.jobs.errors import LeaseLost, OpenTransaction
from k9ops.jobs.foreground import run_here
from k9ops.jobs.keeper import beat
from k9ops.jobs.models import JobAttempt, JobRun
from k9ops.jobs.queries import get_run, log_lines_of
from k9ops.jobs.registry import get_job
from k9ops.jobs.runner import perform
from k9ops.jobs.runtime import runtime
from k9ops.jobs.states import Outcome, Path
from k9ops.jobs.sweep import Sweep
from k9ops.notifications.models import Notification
from tests.support.processes import wait_until


def rows() -> int:
    return db.session.scalar(
        select(func.count()).select_from(Notification).where(Notification.kind == "test")
    )


def take(name: str, **arguments: object) -> Claim:
    run = dispatch(name, arguments)
    with db.engine.begin() as connection:
        won = claim(connection, run.id, Path.IN_PROCESS, "cli:gone:1")
    assert won is not None
    return won


def lose(won: Claim) -> None:
    with db.engine.begin() as connection:
        end_attempt(connection, won, Ending(Outcome.LOST, code="lost"))


def context_of(won: Claim) -> RunContext:
    return RunContext(won, db.engine, get_job(won.job).options)


def test_commit_is_rolled_back_when_another_attempt_owns_the_run(engine_app: Flask, user_id: int):
    won = take("test.write", user=user_id)
    lose(won)
    perform(won)
    assert rows() == 0
    run = get_run(won.run_id)
    assert (run.state, run.attempts[0].outcome) == ("queued", "lost")


def test_commit_is_rolled_back_when_the_run_is_lost_midway(engine_app: Flask, user_id: int):
    won = take("test.write", user=user_id, rows=50, pause=0.05)

    def work() -> None:
        with engine_app.app_context():
            perform(won)

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(lambda: rows() > 2)
    lose(won)
    before = rows()
    thread.join(10)
    assert before <= rows() <= before + 1  # one commit may have been under way
    again = run_here(won.run_id)
    assert [attempt.outcome for attempt in again.attempts] == ["lost", "succeeded"]


def test_end_is_refused_when_the_attempt_was_lost(engine_app: Flask):
    won = take("test.sleep")
    lose(won)
    with pytest.raises(LeaseLost), db.engine.begin() as connection:
        end_attempt(connection, won, Ending(Outcome.SUCCEEDED))
    assert get_run(won.run_id).state == "queued"


def test_beat_writes_nothing_when_the_attempt_was_lost(engine_app: Flask):
    won = take("test.sleep")
    context = context_of(won)
    context.add_line("INFO", "test", "late line")
    lose(won)
    with db.engine.begin() as connection:
        assert not beat(connection, context, context.take_lines())


def test_claim_is_won_once(engine_app: Flask):
    won = take("test.sleep")
    with db.engine.begin() as connection:
        assert claim(connection, won.run_id, Path.IN_PROCESS, "cli:other:2") is None


def test_effect_is_done_when_receipted_and_unknown_when_not(engine_app: Flask):
    won = take("test.sleep")
    context = context_of(won)
    with context.active():
        with context.effect("mail:amal") as first:
            assert first.state == "new"
            first.receipt = {"id": 7}
        with context.effect("mail:amal") as again:
            assert (again.state, again.receipt) == ("done", {"id": 7})
        with pytest.raises(OSError), context.effect("mail:badr"):  # noqa: PT011
            raise OSError("the network went")
        with context.effect("mail:badr") as unknown:
            assert unknown.state == "unknown"
        with context.effect("mail:badr") as settled:
            assert settled.state == "done"


def test_effect_is_unknown_with_what_it_kept_when_its_attempt_died(engine_app: Flask):
    won = take("test.sleep")
    context = context_of(won)
    with context.active():
        with suppress(OSError), context.effect("upload") as first:
            first.keep({"offset": 4})
            first.keep({"offset": 8})
            raise OSError("the network went")
        with context.effect("upload") as again:
            assert (again.state, again.receipt) == ("unknown", {"offset": 8})
            again.receipt = {"id": 7}
        with context.effect("upload") as done:
            assert (done.state, done.receipt) == ("done", {"id": 7})


def test_effect_keeps_nothing_when_the_run_was_lost(engine_app: Flask):
    won = take("test.sleep")
    context = context_of(won)
    with context.active(), suppress(LeaseLost), context.effect("upload") as effect:
        lose(won)
        with pytest.raises(LeaseLost):
            effect.keep({"offset": 4})


def test_effect_is_refused_inside_an_open_transaction(engine_app: Flask, user_id: int):
    context = context_of(take("test.sleep"))
    db.session.add(Notification(user_id=user_id, kind="test", params={}))
    with pytest.raises(OpenTransaction), context.effect("mail"):
        pass
    db.session.rollback()


def test_effect_is_fenced_when_the_run_was_lost(engine_app: Flask):
    won = take("test.sleep")
    context = context_of(won)
    lose(won)
    with context.active(), pytest.raises(LeaseLost), context.effect("mail"):
        pytest.fail("the effect must not happen")


def test_sweep_calls_an_attempt_lost_only_after_watching_a_whole_lease(engine_app: Flask):
    won = take("test.sleep")
    sweep = Sweep(db.engine, lease_seconds=0.6, tick_seconds=0.1)
    assert sweep("web:test:1") == 0
    time.sleep(1)  # a pause of the sweep's own counts for three ticks at most
    assert sweep("web:test:1") == 0
    for _ in range(4):
        time.sleep(0.1)
        sweep("web:test:1")
    assert get_run(won.run_id).attempts[0].outcome == "lost"
    assert run_here(won.run_id).state == "succeeded"


def test_sweep_spares_an_attempt_that_beats(engine_app: Flask):
    won = take("test.sleep")
    context = context_of(won)
    sweep = Sweep(db.engine, lease_seconds=0.3, tick_seconds=0.1)
    for _ in range(8):
        with db.engine.begin() as connection:
            assert beat(connection, context, [])
        assert sweep("web:test:1") == 0
        time.sleep(0.1)


def test_sweep_ends_an_attempt_past_its_deadline_though_it_beats(engine_app: Flask):
    won = take("test.limits", seconds=0)
    context = context_of(won)
    sweep = Sweep(db.engine, lease_seconds=30, tick_seconds=0.1)

    def swept() -> bool:
        with db.engine.begin() as connection:
            beat(connection, context, [])
        return sweep("web:test:1") == 1

    wait_until(swept, 5)
    run = get_run(won.run_id)
    assert (run.state, run.error_code) == ("failed", "timed_out")
    assert run.attempts[0].outcome == "timed_out"


def test_keeper_goes_on_beating_when_an_older_attempt_of_the_run_ends_here(engine_app: Flask):
    keeper, old = runtime().keeper, take("test.sleep")
    with ExitStack() as hung:
        hung.enter_context(keeper.watching(context_of(old)))
        lose(old)
        with db.engine.begin() as connection:
            won = claim(connection, old.run_id, Path.IN_PROCESS, "cli:again:1")
        with keeper.watching(context := context_of(won)):
            hung.close()
            assert keeper.contexts() == [context]


def test_keeper_writes_any_line_whatever_its_logger_is_called(engine_app: Flask):
    won = take("test.sleep")
    context = context_of(won)
    with runtime().keeper.watching(context):
        context.add_line("A VERY LONG NAME OF A LEVEL", "a\x00\ud800" * 300, "hello")
        wait_until(lambda: log_lines_of(won.run_id), 5)


def test_keeper_goes_on_when_one_run_cannot_be_kept(engine_app: Flask):
    bad, good = context_of(take("test.sleep")), context_of(take("test.sleep"))
    bad.progress_values = {"progress_text": "\x00"}
    with runtime().keeper.watching(bad), runtime().keeper.watching(good):
        wait_until(lambda: get_run(good.id).attempts[0].heartbeat > 2, 5)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_sweep_waits_for_nobody_who_holds_an_attempt(engine_app: Flask):
    frozen, gone = take("test.sleep"), take("test.sleep")
    sweep = Sweep(db.engine, lease_seconds=0.2, tick_seconds=1)
    with db.engine.begin() as connection:
        beat(connection, context_of(frozen), [])
        wait_until(lambda: sweep("web:test:1") == 1, 5)
    assert get_run(gone.run_id).attempts[0].outcome == "lost"
    assert get_run(frozen.run_id).attempts[0].outcome is None


def test_sweep_gives_on_a_run_whose_job_only_another_version_knows(engine_app: Flask):
    won = take("test.sleep")
    with db.engine.begin() as connection:
        connection.execute(update(JobRun).values(job="test.of_another_version"))
        connection.execute(update(JobAttempt).values(deadline_at=won.started_at))  # overdue
    sweep = Sweep(db.engine, lease_seconds=0.2, tick_seconds=1)
    wait_until(lambda: sweep("web:test:1") == 1, 5)
    run = get_run(won.run_id)
    assert (run.state, run.attempts[0].outcome) == ("queued", "lost")
