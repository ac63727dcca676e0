"""What the engine tells of the end of runs, and what a success costs when nobody listens."""

import pytest
from flask import Flask
from sqlalchemy import event

from k9ops.core.db import db
from k9ops.jobs import dispatch
from k9ops.jobs.foreground import run_here
from k9ops.jobs.runner import perform, take
from k9ops.jobs.signals import run_fell_short, run_finished


def run(name: str) -> str:
    return str(run_here(dispatch(name).id).state)


def test_run_finished_gives_the_whole_row_of_every_end(engine_app: Flask):
    heard = []
    with run_finished.connected_to(lambda job, run, **_: heard.append((job, run.state, run.via))):
        assert [run("test.sleep"), run("test.permanent")] == ["succeeded", "failed"]
    assert heard == [("test.sleep", "succeeded", "auto"), ("test.permanent", "failed", "auto")]


def test_run_fell_short_tells_of_no_success(engine_app: Flask):
    heard = []
    with run_fell_short.connected_to(lambda _job, run, **_: heard.append(run.state)):
        for name in ("test.sleep", "test.partial", "test.permanent"):
            run(name)
    assert heard == ["partial", "failed"]


@pytest.mark.parametrize("database_kind", ["postgresql"])
@pytest.mark.parametrize(("listened", "commits"), [("test.sleep", 1), ("test.words", 0)])
def test_success_has_a_transaction_only_for_a_listener(
    engine_app: Flask, listened: str, commits: int
):
    claim = take(dispatch("test.sleep").id, "cli:here:1")
    assert claim is not None
    committed = []
    event.listen(db.engine, "commit", committed.append)
    with run_finished.connected_to(lambda *_, **_named: None, sender=listened):
        perform(claim)
    assert len(committed) == commits
