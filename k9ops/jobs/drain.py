"""Stopping a process without losing a run: grace first, then what still runs is given back."""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from k9ops.core.db import db
from k9ops.jobs.claims import end_attempt, interrupted
from k9ops.jobs.context import RunContext
from k9ops.jobs.errors import LeaseLost
from k9ops.jobs.runtime import Runtime

if TYPE_CHECKING:
    from config import Settings

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.05
#: For threads to heed the stop flag, and for children to be ended, before runs are given back.
_HEED_SECONDS = 0.5
_CHILDREN_SECONDS = 3


def drain(runtime: Runtime, busy: Callable[[], bool], settings: "Settings") -> None:
    """Wait for running jobs, at most the grace; then give back what is left (`interrupted`)."""
    wait_while(busy, settings.jobs_drain_seconds)
    give_back_all(runtime, busy)
    wait_while(lambda: busy() and len(runtime.keeper.contexts()) == 0, _CHILDREN_SECONDS)


def give_back_all(runtime: Runtime, busy: Callable[[], bool]) -> None:
    """Stop what runs in this process and queue it again, at once."""
    runtime.stopping = True
    contexts = runtime.keeper.contexts()
    for context in contexts:
        context.stop("lost")
    if contexts:
        wait_while(busy, _HEED_SECONDS)
    for context in contexts:
        _give_back(context)


def wait_while(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until the condition ends, at most so long; whether it still holds."""
    ends_at = time.monotonic() + seconds
    while (holds := condition()) and time.monotonic() < ends_at:
        time.sleep(_POLL_SECONDS)
    return holds


def _give_back(context: RunContext) -> None:
    """Queue the run again at once; the thread that still runs it is fenced from here on."""
    try:
        with db.engine.begin() as connection:
            end_attempt(connection, context.claim, interrupted())
    except LeaseLost:
        logger.debug("run %s ended in its grace", context.id)
    except SQLAlchemyError as error:
        logger.warning("run %s is left to the sweep: %s", context.id, error)
