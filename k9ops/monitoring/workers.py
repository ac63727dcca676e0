"""What is known of Celery: its broker, workers, queues and breaker, and the runs that need them.

Nothing here waits for a sick broker: what is told is what was known last, with its age.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from k9ops.core.clock import read_now
from k9ops.core.db import db
from k9ops.core.settings import current_settings
from k9ops.jobs.breaker import BreakerView
from k9ops.jobs.broker import Worker
from k9ops.jobs.models import JobRun
from k9ops.jobs.runtime import runtime
from k9ops.jobs.states import Path, Reason, State
from k9ops.jobs.watch import Known

#: An answer older than this says nothing of now.
FRESH_SECONDS = 10
#: Why runs are in process by choice: nothing fell back.
CHOSEN = (Reason.CELERY_OFF, Reason.REQUESTED)


@dataclass(frozen=True)
class Celery:
    """Celery as this process knows it."""

    known: Known
    breaker: BreakerView
    #: What Celery cannot take runs in process; else it waits.
    fallback: bool

    @property
    def silence(self) -> Reason | None:
        """Why nothing is known of now; None when the broker has just answered."""
        if self.known.fault:
            return self.known.fault.reason
        age = self.known.age_seconds
        return Reason.BROKER_TIMEOUT if age is None or age > FRESH_SECONDS else None

    @property
    def trouble(self) -> Reason | None:
        """Why no run is sent to the broker now."""
        return self.silence or (Reason.BREAKER_OPEN if self.breaker.is_open else None)

    @property
    def workers(self) -> Sequence[Worker]:
        return self.known.view.workers if self.known.view else ()

    @property
    def lengths(self) -> dict[str, int]:
        """Messages by queue; of every queue, once the broker has answered."""
        return self.known.view.lengths if self.known.view else {}

    @property
    def unserved(self) -> list[str]:
        """Queues that no worker listens to."""
        served = {queue for worker in self.workers for queue in worker.queues}
        return [queue for queue in self.lengths if queue not in served]


@dataclass(frozen=True)
class QueueRow:
    """One queue; `messages` is None where it was never asked for."""

    name: str
    messages: int | None
    waiting: int
    served: bool


@dataclass(frozen=True)
class Fallen:
    """The runs that fell back of late: how many by reason, and how many of them succeeded."""

    reasons: Counter[str]
    succeeded: int

    @property
    def total(self) -> int:
        return self.reasons.total()


def known_celery() -> Celery | None:
    """What is known now; None where Celery is off."""
    transport = runtime().transport
    if transport is None:
        return None
    fallback = current_settings().celery_fallback == "on"
    return Celery(transport.watch.known(), transport.breaker.view(), fallback)


def waiting_runs() -> dict[str, int]:
    """How many runs wait for Celery, by queue: one statement."""
    query = select(JobRun.queue, func.count()).where(
        JobRun.state == State.QUEUED, JobRun.path == Path.CELERY, JobRun.placed
    )
    return dict(db.session.execute(query.group_by(JobRun.queue)).all())


def stuck_runs(celery: Celery, waiting: dict[str, int]) -> int:
    """How many of the waiting runs Celery cannot take now and nothing else may."""
    if celery.fallback:
        return 0
    if celery.trouble:
        return sum(waiting.values())
    return sum(waiting.get(queue, 0) for queue in celery.unserved)


def queue_rows(celery: Celery, waiting: dict[str, int]) -> list[QueueRow]:
    """Every queue that is known or waited for."""
    unserved = celery.unserved
    return [
        QueueRow(name, celery.lengths.get(name), waiting.get(name, 0), name not in unserved)
        for name in dict.fromkeys([*celery.lengths, *sorted(waiting)])
    ]


def fallen_since(since: datetime) -> Fallen:
    """The runs queued since then that Celery could not take: one statement."""
    query = (
        select(JobRun.reason, JobRun.state, func.count())
        .where(JobRun.queued_at >= since)
        .where(JobRun.path == Path.IN_PROCESS, JobRun.reason.not_in(CHOSEN))
        .group_by(JobRun.reason, JobRun.state)
    )
    reasons: Counter[str] = Counter()
    succeeded = 0
    for reason, state, count in db.session.execute(query):
        reasons[str(reason)] += count
        succeeded += count if state == State.SUCCEEDED else 0
    return Fallen(reasons, succeeded)


def seconds_until(instant: datetime | None) -> float:
    """How long it is until then, by the database's clock; 0 when it is over or never."""
    if instant is None:
        return 0
    return max((instant - read_now(db.session())).total_seconds(), 0)


def live_since(worker: Worker) -> datetime | None:
    """When the worker started, as it told."""
    return datetime.fromisoformat(worker.started_at) if worker.started_at else None
