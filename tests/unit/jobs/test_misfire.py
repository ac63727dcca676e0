"""What becomes of a gap, by policy, against a second, slower implementation."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k9ops.jobs.misfire import EACH_AT_MOST, plan
from k9ops.jobs.states import Misfire

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATE_SECONDS = 10


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def test_plan_runs_what_is_in_time_whatever_the_policy():
    for policy in Misfire:
        found = plan([ago(10), ago(3)], NOW, LATE_SECONDS, policy)
        assert found.in_time == [ago(10), ago(3)]
        assert found.late == []
        assert found.missed is None


def test_plan_runs_the_newest_of_a_gap_when_latest():
    found = plan([ago(300), ago(200), ago(100)], NOW, LATE_SECONDS, Misfire.LATEST)
    assert found.late == [ago(100)]
    assert (found.missed.count, found.missed.first_due, found.missed.last_due) == (
        2, ago(300), ago(200),
    )  # fmt: skip


def test_plan_runs_none_of_a_gap_when_latest_and_one_is_in_time():
    found = plan([ago(200), ago(100), ago(1)], NOW, LATE_SECONDS, Misfire.LATEST)
    assert found.late == []
    assert found.in_time == [ago(1)]
    assert found.missed.count == 2


@pytest.mark.parametrize("policy", list(Misfire))
@settings(deadline=None)
@given(ages=st.lists(st.integers(0, 4000), max_size=300, unique=True))
def test_plan_agrees_with_the_rules_written_out(policy: Misfire, ages: list[int]):
    dues = sorted(ago(age) for age in ages)
    found = plan(dues, NOW, LATE_SECONDS, policy)
    gap = [due for due in dues if due < ago(LATE_SECONDS)]
    in_time = [due for due in dues if due >= ago(LATE_SECONDS)]
    late = {
        Misfire.SKIP: [],
        Misfire.EACH: gap[-EACH_AT_MOST:],
        Misfire.LATEST: [] if in_time else gap[-1:],
    }[policy]
    missed = [due for due in gap if due not in late]
    assert (found.in_time, found.late) == (in_time, late)
    if missed:
        assert found.missed.count == len(missed)
        assert (found.missed.first_due, found.missed.last_due) == (missed[0], missed[-1])
    else:
        assert found.missed is None
