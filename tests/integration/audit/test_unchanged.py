"""Answers that are kept as long as the audit trail has nothing newer."""

from itertools import count

import pytest

from k9ops.audit import unchanged
from k9ops.audit.services import COMMAND_LINE, Target, record
from k9ops.audit.unchanged import unless_changed
from k9ops.core.db import db


@pytest.fixture
def ask(app):
    """`ask(key)`: how often it was really asked, this time included if it was."""
    asked = count(1)
    with app.app_context():
        yield lambda key="key": unless_changed(key, lambda: next(asked))


def test_answer_is_kept_while_nothing_changes(ask):
    assert [ask(), ask()] == [1, 1]
    assert ask("other") == 2


def test_answer_is_asked_again_when_somebody_changed_something(ask):
    ask()
    record(db.session(), COMMAND_LINE, "dog.changed", Target("dog", 1))
    db.session.commit()
    assert [ask(), ask()] == [2, 2]


def test_answer_is_asked_again_after_a_while(ask, monkeypatch):
    monkeypatch.setattr(unchanged, "_SECONDS", 0.0)
    assert [ask(), ask()] == [1, 2]


def test_few_answers_are_kept(ask):
    for number in range(100):
        ask(number)
    assert ask(0) == 101
