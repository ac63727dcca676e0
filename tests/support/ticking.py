"""Jobs that come due by themselves, for tests of real processes; they write to $TEST_JOURNAL."""

import os

from k9ops.jobs import Every, job
from tests.support.jobs import effect, sleep


def journal() -> str:
    return os.environ["TEST_JOURNAL"]


@job("tick.each", title="Each second", trigger=Every(seconds=1), misfire="each")
def each() -> dict[str, str]:
    """Every occurrence counts, and its effect happens once."""
    return effect.function(journal())


@job("tick.long", title="Long", timeout_seconds=120, soft_timeout_seconds=100)
def long(seconds: float = 4) -> dict[str, float]:
    """Long enough to be killed, frozen or stopped in the middle."""
    return sleep.function(seconds, journal())


@job("tick.long_child", title="Long child", isolation="process", timeout_seconds=120)
def long_child(seconds: float = 4) -> dict[str, float]:
    """The same in a process of its own."""
    return sleep.function(seconds, journal())


@job("tick.gap_latest", title="Gap", trigger=Every(seconds=600), misfire="latest")
def gap_latest() -> None:
    """The newest of a gap."""


@job("tick.gap_each", title="Gap", trigger=Every(seconds=600), misfire="each")
def gap_each() -> None:
    """Each of a gap."""


@job("tick.gap_skip", title="Gap", trigger=Every(seconds=600), misfire="skip")
def gap_skip() -> None:
    """None of a gap."""
