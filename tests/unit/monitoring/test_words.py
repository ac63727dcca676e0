"""The engine's words: none of them is without a sign."""

import pytest

from k9ops.jobs.models import PeriodicTask
from k9ops.jobs.moves import Happening
from k9ops.jobs.states import Outcome, Path, Reason, State
from k9ops.monitoring import words

FAMILIES = {"ok", "part", "bad", "run", "wait", "off", "miss"}


def test_every_word_of_the_engine_is_told():
    assert set(words.STATES) == set(State)
    assert set(words.OUTCOMES) >= set(Outcome)
    assert set(words.PATHS) == set(Path)
    assert set(words.REASONS) == set(words.REASON_SENTENCES) == set(Reason)
    assert set(words.EVENTS) >= set(Happening)


def test_every_sign_has_a_known_family():
    tables = (words.STATES, words.OUTCOMES, words.HEALTH, words.EVENTS)
    assert {word.family for table in tables for word in table.values()} <= FAMILIES


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("web:web-1:212", "The application web-1, process 212"),
        ("child:::1:7", "A child process on ::1, process 7"),
        ("amal", "amal"),
    ],
)
def test_executor_is_told_in_words_when_its_kind_is_known(name, text):
    assert words.executor(name) == text


@pytest.mark.parametrize(
    ("cron", "text"),
    [
        ("0 2 * * *", "daily"),
        ("5 * * * *", "hourly"),
        ("0 2 * * 0", "weekly"),
        ("0 2 1 * *", "monthly"),
        ("*/5 * * * *", "*/5 * * * *"),
        ("0 2 * * 1-5", "0 2 * * 1-5"),
    ],
)
def test_trigger_keeps_the_expression_when_it_has_no_words(cron, text):
    assert words.trigger(PeriodicTask(cron=cron, every_seconds=None)) == text
