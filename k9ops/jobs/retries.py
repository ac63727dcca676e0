"""When a run is repeated: a pure function from what happened to what follows."""

import random
from dataclasses import dataclass
from datetime import timedelta

from k9ops.jobs.states import Outcome, State

#: A run whose attempts were lost so often in a row kills its process: it is given up.
LOSSES_BEFORE_GIVING_UP = 3
LONGEST_DELAY_SECONDS = 3600.0


@dataclass(frozen=True)
class Retry:
    """How often a job is executed at most (the first included), and the first pause between."""

    attempts: int = 3
    delay_seconds: float = 300


@dataclass(frozen=True)
class Next:
    """What follows an attempt: the run's next state, and after which delay if it is queued."""

    state: State
    delay: timedelta = timedelta(0)
    code: str | None = None


_ENDS = {
    Outcome.SUCCEEDED: State.SUCCEEDED,
    Outcome.PARTIAL: State.PARTIAL,
    Outcome.CANCELLED: State.CANCELLED,
}


def after_attempt(
    outcome: Outcome, *, retry: Retry, tries: int, max_tries: int, losses: int, permanent: bool
) -> Next:
    """Decide what follows; `tries` and `losses` count this attempt already.

    A lost attempt is always repeated at once, until it was lost three times in a row; one that
    was interrupted is repeated at once and counts for nothing.
    """
    if outcome is Outcome.INTERRUPTED:
        return Next(State.QUEUED)
    if outcome is Outcome.LOST:
        if losses >= LOSSES_BEFORE_GIVING_UP:
            return Next(State.FAILED, code="gave_up")
        return Next(State.QUEUED)
    if outcome in (Outcome.SUCCEEDED, Outcome.CANCELLED):
        return Next(_ENDS[outcome])
    if tries < max_tries and not permanent:
        return Next(State.QUEUED, delay_before(tries + 1, retry))
    return Next(_ENDS.get(outcome, State.FAILED))


def delay_before(number: int, retry: Retry, jitter: float | None = None) -> timedelta:
    """The pause before execution `number` (2 is the first retry).

    Doubles each time up to an hour; `jitter` (0 to 1, by default random) adds up to a fifth.
    """
    jitter = random.random() if jitter is None else jitter  # noqa: S311  (no secret)
    seconds = min(retry.delay_seconds * 2 ** min(number - 2, 60), LONGEST_DELAY_SECONDS)
    return timedelta(seconds=seconds * (1 + 0.2 * jitter))
