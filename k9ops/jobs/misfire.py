"""What becomes of due occurrences: those in time run; those of a gap follow the misfire policy."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from k9ops.jobs.states import Misfire

#: `each` runs so many of a gap's occurrences at most: the newest.
EACH_AT_MOST = 100
_KEPT = {Misfire.LATEST: 1, Misfire.EACH: EACH_AT_MOST, Misfire.SKIP: 0}


@dataclass
class Gap:
    """Occurrences that were not run: how many, the first, the last."""

    count: int
    first_due: datetime
    last_due: datetime


@dataclass
class Plan:
    """What to do with the occurrences found: run in time, run late, write down as missed."""

    in_time: list[datetime] = field(default_factory=list)
    late: list[datetime] = field(default_factory=list)
    missed: Gap | None = None


def plan(dues: Iterable[datetime], now: datetime, late_seconds: float, policy: Misfire) -> Plan:
    """Sort `dues` (oldest first) by the policy. Memory does not grow with the gap's length."""
    border = now - timedelta(seconds=late_seconds)
    window: deque[datetime] = deque()
    result = Plan()
    for due in dues:
        if due >= border:
            result.in_time.append(due)
            continue
        window.append(due)
        if len(window) > _KEPT[policy]:
            _miss(result, window.popleft())
    if policy is Misfire.LATEST and result.in_time and window:
        _miss(result, window.pop())
    result.late = list(window)
    return result


def _miss(result: Plan, due: datetime) -> None:
    if result.missed is None:
        result.missed = Gap(0, first_due=due, last_due=due)
    result.missed.count += 1
    result.missed.last_due = due
