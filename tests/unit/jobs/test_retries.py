"""What follows an attempt, by its outcome and the tries left."""

from datetime import timedelta

import pytest

from k9ops.jobs.retries import Next, Retry, after_attempt, delay_before
from k9ops.jobs.states import MOVES, Outcome, State, may_move


def follow(outcome: Outcome, **values: object) -> Next:
    given = {"tries": 1, "max_tries": 3, "losses": 0, "permanent": False, **values}
    return after_attempt(outcome, retry=Retry(3, 300), **given)


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.PARTIAL, Outcome.TIMED_OUT])
def test_attempt_is_repeated_with_a_pause_when_tries_are_left(outcome: Outcome):
    follows = follow(outcome)
    assert follows.state is State.QUEUED
    assert timedelta(seconds=300) <= follows.delay <= timedelta(seconds=360)


def test_attempt_ends_the_run_when_no_try_is_left():
    assert follow(Outcome.FAILED, tries=3).state is State.FAILED
    assert follow(Outcome.TIMED_OUT, tries=3).state is State.FAILED
    assert follow(Outcome.PARTIAL, tries=3).state is State.PARTIAL


def test_attempt_ends_the_run_when_the_error_is_permanent():
    assert follow(Outcome.FAILED, permanent=True).state is State.FAILED


def test_lost_attempt_is_repeated_at_once_until_the_third():
    assert follow(Outcome.LOST, losses=2, tries=9) == Next(State.QUEUED)
    assert follow(Outcome.LOST, losses=3) == Next(State.FAILED, code="gave_up")


def test_interrupted_attempt_is_repeated_at_once():
    assert follow(Outcome.INTERRUPTED, tries=9, losses=9) == Next(State.QUEUED)


def test_delay_doubles_and_stays_within_its_bounds():
    retry = Retry(attempts=20, delay_seconds=100)
    assert delay_before(2, retry, jitter=0) == timedelta(seconds=100)
    assert delay_before(3, retry, jitter=0) == timedelta(seconds=200)
    assert delay_before(3, retry, jitter=1) == timedelta(seconds=240)
    assert delay_before(20, retry, jitter=0) == timedelta(hours=1)
    assert delay_before(5000, retry, jitter=0) == timedelta(hours=1)


def test_moves_leave_no_way_out_of_a_good_end():
    assert set(MOVES) == {None, *State}
    assert not any(may_move(State.SUCCEEDED, state) for state in State)
    assert not may_move(State.QUEUED, State.SUCCEEDED)
