"""The life of a run as one table: every move that may be made."""

from enum import StrEnum


class State(StrEnum):
    """Where a run is."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    MISSED = "missed"


class Outcome(StrEnum):
    """How one attempt ended."""

    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    LOST = "lost"
    TIMED_OUT = "timed_out"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"


class Path(StrEnum):
    """Who executes."""

    CELERY = "celery"
    IN_PROCESS = "in_process"


class Reason(StrEnum):
    """Why a run is executed in process; none for Celery."""

    CELERY_OFF = "celery_off"
    BROKER_UNREACHABLE = "broker_unreachable"
    BROKER_TIMEOUT = "broker_timeout"
    BROKER_REFUSED = "broker_refused"
    BREAKER_OPEN = "breaker_open"
    NO_WORKER = "no_worker"
    NOT_PICKED_UP = "not_picked_up"
    WORKER_LOST = "worker_lost"
    REQUESTED = "requested"


#: The error code of a run that a restore ended: it says nothing about its job.
ENDED_BY_RESTORE = "restored"


class Via(StrEnum):
    """What was asked of the dispatch: Celery first, only Celery, or only here."""

    AUTO = "auto"
    CELERY = "celery"
    HERE = "here"


class Misfire(StrEnum):
    """What becomes of the occurrences of a gap."""

    LATEST = "latest"
    EACH = "each"
    SKIP = "skip"


class Overlap(StrEnum):
    """What becomes of an occurrence while the one before is still active."""

    ALLOW = "allow"
    SKIP = "skip"


class Edit(StrEnum):
    """What an edit did to a periodic task."""

    #: It went after the code or the settings.
    FOLLOWED = "followed"
    SCHEDULED = "scheduled"
    PAUSED = "paused"
    RESUMED = "resumed"


ACTIVE = (State.QUEUED, State.RUNNING)
RETRYABLE = (State.FAILED, State.PARTIAL, State.CANCELLED)

#: From a state (None: the row is new) to the states it may become.
MOVES: dict[State | None, frozenset[State]] = {
    None: frozenset({State.QUEUED, State.SKIPPED, State.MISSED}),
    State.QUEUED: frozenset({State.RUNNING, State.CANCELLED, State.FAILED}),
    State.RUNNING: frozenset(
        {State.QUEUED, State.SUCCEEDED, State.PARTIAL, State.FAILED, State.CANCELLED}
    ),
    State.FAILED: frozenset({State.QUEUED}),
    State.PARTIAL: frozenset({State.QUEUED}),
    State.CANCELLED: frozenset({State.QUEUED}),
    State.SUCCEEDED: frozenset(),
    State.SKIPPED: frozenset(),
    State.MISSED: frozenset(),
}

END_STATES = tuple(state for state in State if state not in ACTIVE)


def may_move(before: State | None, after: State) -> bool:
    """Whether the table allows the move."""
    return after in MOVES[before]
