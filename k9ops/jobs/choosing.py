"""Choosing the path of a run, in milliseconds whatever state the broker is in."""

import time
from dataclasses import dataclass

from k9ops.jobs.broker import BrokerFault
from k9ops.jobs.runtime import runtime
from k9ops.jobs.states import Path, Reason, Via


@dataclass(frozen=True)
class Choice:
    """The path of a run, the reason for it, and when choosing began (monotonic)."""

    path: Path
    reason: Reason | None
    began: float
    decision_ms: float


def choose(queue: str, via: Via, *, lost: bool = False) -> Choice:
    """The path for a run of this queue; asks the broker, so no transaction may be open.

    `lost`: its last attempt was lost on Celery, so only a worker that has missed no beat counts.
    """
    transport = runtime().transport
    if transport is not None and via is not Via.HERE:
        transport.load()
    began = time.monotonic()
    path, reason = _path(queue, via, lost=lost)
    return Choice(path, reason, began, spent_ms(began))


def chosen_without_asking(via: Via) -> bool:
    """Whether the path of such a run is known without the broker."""
    engine = runtime()
    return via is Via.HERE or engine.transport is None or engine.settings.celery_task_always_eager


def only_celery(via: str) -> bool:
    """Whether such a run waits for Celery, however long."""
    settings = runtime().settings
    off = settings.celery_fallback == "off" and settings.celery_on
    return via == Via.CELERY or (via == Via.AUTO and off)


def spent_ms(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 3)


def _path(queue: str, via: Via, *, lost: bool) -> tuple[Path, Reason | None]:
    engine = runtime()
    if via is Via.HERE:
        return Path.IN_PROCESS, Reason.REQUESTED
    if via is Via.CELERY:
        return Path.CELERY, None
    if engine.transport is None:
        return Path.IN_PROCESS, Reason.CELERY_OFF
    if engine.settings.celery_task_always_eager:
        return Path.IN_PROCESS, Reason.REQUESTED
    if only_celery(via):
        return Path.CELERY, None
    try:
        alive = engine.transport.has_worker(queue, fresh=lost)
    except BrokerFault as fault:
        return Path.IN_PROCESS, fault.reason
    if alive:
        return Path.CELERY, None
    return Path.IN_PROCESS, Reason.WORKER_LOST if lost else Reason.NO_WORKER
