"""Watching over runs that wait: those without a path, and those that no worker took.

Every process that executes does this each tick, and a command for its own run while it waits.
Who is first to change a row sends its message; a double message is harmless, the claim decides.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    and_,
    case,
    func,
    select,
    true,
    update,
)

from k9ops.core.clock import read_now
from k9ops.jobs.broker import BrokerFault
from k9ops.jobs.carrying import fall_back, place, send, write_waiting_events
from k9ops.jobs.choosing import only_celery
from k9ops.jobs.models import JobRun
from k9ops.jobs.moves import Happening
from k9ops.jobs.runtime import runtime
from k9ops.jobs.states import Path, Reason, State, Via
from k9ops.jobs.transport import Transport

logger = logging.getLogger(__name__)

#: Runs that one look places, sends again, or lets fall back.
AT_ONCE = 200
#: A run that waits for Celery is sent again each time its waiting has doubled: any message may be
#: lost, the second too.
_DOUBLINGS = 20

Where = tuple[ColumnElement[bool], ...]


def watch_waiting(engine: Engine, only_run: str | None = None) -> int:
    """Look once after waiting runs (or after one); how many were handed on."""
    count = place(_unplaced(engine, only_run))
    transport = runtime().transport
    if transport is None:
        return count + _give_up(engine, _grace(), Reason.CELERY_OFF, _of(only_run))
    for queue in _overdue_queues(engine, only_run):
        count += _look_after(engine, transport, queue, only_run)
    return count


def _unplaced(engine: Engine, only_run: str | None) -> Sequence[str]:
    """Runs whose time has come and whose path is not chosen: retries, lost ones, orphans."""
    with engine.connect() as connection:
        statement = (
            select(JobRun.id)
            .where(JobRun.state == State.QUEUED, JobRun.placed.is_(False), *_of(only_run))
            .where(JobRun.available_at <= read_now(connection))
            .order_by(JobRun.available_at)
            .limit(AT_ONCE)
        )
        return connection.scalars(statement).all()


def _overdue_queues(engine: Engine, only_run: str | None) -> Sequence[str]:
    """Queues with runs that were sent and not taken within the grace."""
    with engine.connect() as connection:
        late = JobRun.available_at <= read_now(connection) - _grace()
        statement = select(JobRun.queue).where(_sent(), late, *_of(only_run)).distinct()
        return connection.scalars(statement).all()


def _look_after(engine: Engine, transport: Transport, queue: str, only_run: str | None) -> int:
    """Send again what may still be taken, and let the rest run here."""
    where = (JobRun.queue == queue, *_of(only_run))
    try:
        alive = transport.has_worker(queue)
    except BrokerFault as fault:
        # A hiccup is no reason: the messages are in their queue, and the workers come back.
        away = transport.is_away(fault)
        return _give_up(engine, _grace(), Reason.NOT_PICKED_UP, where) if away else 0
    settings = runtime().settings
    limit = timedelta(seconds=settings.jobs_pickup_limit_seconds) if alive else _grace()
    count = _give_up(engine, limit, Reason.NOT_PICKED_UP, where)
    return count + _send_again(engine, (*where, _may_be_lost(engine, transport, queue)))


def _may_be_lost(engine: Engine, transport: Transport, queue: str) -> ColumnElement[bool]:
    """Which runs another message may help: each one more, and more yet while some are missing.

    The queue holds fewer messages than runs wait for it: that tells that some are missing.
    """
    known = transport.watch.known().view
    with engine.connect() as connection:
        counted = select(func.count()).select_from(JobRun).where(_sent(), JobRun.queue == queue)
        waiting = connection.scalar(counted) or 0
    if known is None or known.lengths.get(queue, 0) < waiting:
        return true()
    return JobRun.republished == 0


def _give_up(engine: Engine, after: timedelta, reason: Reason, where: Where) -> int:
    """Let runs that waited so long for Celery run here, if they may."""
    if only_celery(Via.AUTO):
        return 0
    with engine.begin() as connection:
        late = JobRun.available_at <= read_now(connection) - after
        statement = select(JobRun.id).where(_sent(), JobRun.via == Via.AUTO, late, *where)
        ids = connection.scalars(_unlocked(statement)).all()
        count = fall_back(connection, ids, reason) if ids else 0
    if count:
        logger.warning("%s runs wait for Celery no longer and run here: %s", count, reason)
        runtime().wake()
    return count


def _send_again(engine: Engine, where: Where) -> int:
    with engine.begin() as connection:
        runs = _mark_sent_again(connection, where)
    try:
        for run in runs:
            send(run)
    except BrokerFault as fault:
        logger.warning("messages could not be sent again: %s", fault.text)
    return len(runs)


def _mark_sent_again(connection: Connection, where: Where) -> Sequence[Row[Any]]:
    """Note one more message for each run that is due for one; their rows."""
    turn = _turn(read_now(connection))
    due = JobRun.republished < turn
    ids = connection.scalars(_unlocked(select(JobRun.id).where(_sent(), due, *where))).all()
    statement = (
        update(JobRun)
        .where(JobRun.id.in_(ids), _sent(), due)
        .values(republished=turn)
        .returning(JobRun.__table__)
    )
    rows: Sequence[Row[Any]] = connection.execute(statement).all() if ids else []
    write_waiting_events(connection, rows, Happening.SENT_AGAIN, {})
    return rows


def _turn(now: datetime) -> ColumnElement[int]:
    """How often a run is to be sent again by now: past the grace, and at each doubling of it.

    One message stands for all the turns that passed while nobody could send.
    """
    turns = [(JobRun.available_at <= now - _grace() * 2**n, n + 1) for n in range(_DOUBLINGS)]
    return case(*reversed(turns), else_=0)


def _sent() -> ColumnElement[bool]:
    return and_(JobRun.state == State.QUEUED, JobRun.path == Path.CELERY, JobRun.placed)


def _unlocked(statement: Any) -> Any:
    """The oldest few that no other process is just changing."""
    oldest = statement.order_by(JobRun.available_at).limit(AT_ONCE)
    return oldest.with_for_update(skip_locked=True)


def _grace() -> timedelta:
    return timedelta(seconds=runtime().settings.jobs_pickup_grace_seconds)


def _of(only_run: str | None) -> Where:
    return () if only_run is None else (JobRun.id == only_run,)
