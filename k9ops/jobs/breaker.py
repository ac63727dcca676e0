"""The breaker: after some faults in a row nobody asks the broker for a while.

It is a row, moved by conditional updates, so that every process sees it, a new one too. When
its time is over one process wins the right to ask; its answer closes the breaker or not.
"""

import logging
import time
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, case, select, update

from k9ops.core.clock import db_now, read_now
from k9ops.core.db import changed, insert_new
from k9ops.jobs.broker import BrokerFault
from k9ops.jobs.models import BrokerState

logger = logging.getLogger(__name__)

ROW = 1
#: What was read of the row is believed for so long.
_BELIEVED_SECONDS = 1.0


@dataclass(frozen=True)
class BreakerView:
    """The breaker as the row has it."""

    failures: int = 0
    open_until: datetime | None = None
    is_open: bool = False
    reason: str | None = None
    text: str | None = None
    times_opened: int = 0
    stale_messages: int = 0
    unknown_messages: int = 0


class Breaker:
    """One process's view of the breaker."""

    def __init__(self, engine: Engine, failures: int, seconds: float) -> None:
        self._engine = engine
        self._limit = failures
        self._period = timedelta(seconds=seconds)
        self._view = BreakerView()
        self._read_at: float | None = None

    def allows(self) -> bool:
        """Whether the broker may be asked now; at half-open, to one caller of all processes."""
        view = self._believed()
        if view.open_until is None:
            return True
        return not view.is_open and self._win_probe()

    def failed(self, fault: BrokerFault) -> None:
        """Count a fault; the one that fills the measure opens the breaker."""
        with self._engine.begin() as connection:
            now = read_now(connection)
            fresh = {"id": ROW, "failures": 0, "changed_at": now}
            insert_new(connection, BrokerState, **fresh)
            if _is_free(connection):
                self._count(connection, fault, now)
            self._keep(connection)

    def worked(self) -> None:
        """The broker took all: forget the faults. Writes nothing when there were none."""
        view = self._believed()
        if view.failures or view.open_until is not None:
            self._close(failures=0)

    def answered(self) -> None:
        """The broker answers, and has not been sent anything: close an open breaker on trial.

        The next fault opens it again, so that one which takes no message does not stay closed.
        """
        if self._believed().open_until is not None:
            self._close(failures=self._limit - 1)

    def _close(self, failures: int) -> None:
        with self._engine.begin() as connection:
            if _is_free(connection):
                closed = {"failures": failures, "open_until": None, "changed_at": db_now()}
                connection.execute(_row_update().values(closed))
            self._keep(connection)
        logger.info("the broker answers again")

    def view(self) -> BreakerView:
        """The row as it is now."""
        with self._engine.connect() as connection:
            return self._keep(connection)

    def _believed(self) -> BreakerView:
        if self._read_at is None or time.monotonic() - self._read_at > _BELIEVED_SECONDS:
            return self.view()
        return self._view

    def _keep(self, connection: Connection) -> BreakerView:
        self._view, self._read_at = _read(connection, self._period), time.monotonic()
        return self._view

    def _count(self, connection: Connection, fault: BrokerFault, now: datetime) -> None:
        full = BrokerState.failures + 1 >= self._limit
        opens = full & BrokerState.open_until.is_(None)
        statement = _row_update().values(
            failures=BrokerState.failures + 1,
            open_until=case((full, now + self._period), else_=BrokerState.open_until),
            times_opened=BrokerState.times_opened + case((opens, 1), else_=0),
            reason=fault.reason,
            text=fault.text,
            changed_at=now,
        )
        connection.execute(statement)

    def _win_probe(self) -> bool:
        """Push the opening on; whoever's update meets the row asks for all."""
        with self._engine.begin() as connection:
            now = read_now(connection)
            until = BrokerState.open_until
            # Further off than a whole period: the clock was set back since it opened.
            over = (until <= now) | (until > now + self._period)
            statement = _row_update().where(over).values(open_until=now + self._period)
            won = _is_free(connection) and changed(connection.execute(statement))
            self._keep(connection)
        return won


def _is_free(connection: Connection) -> bool:
    """Whether nobody holds the row: a process frozen while it writes holds up no decision."""
    statement = select(BrokerState.id).where(BrokerState.id == ROW)
    return connection.scalar(statement.with_for_update(skip_locked=True)) is not None


def _read(connection: Connection, period: timedelta) -> BreakerView:
    """The row; a closed breaker where there is none yet."""
    # The bare table: a new process would else set up every mapped class inside its decision.
    table = BrokerState.__table__.c
    names = [field.name for field in fields(BreakerView) if field.name != "is_open"]
    statement = select(*(table[name] for name in names), db_now().label("now"))
    row = connection.execute(statement.where(table.id == ROW)).one_or_none()
    if row is None:
        return BreakerView()
    values = {name: getattr(row, name) for name in names}
    is_open = row.open_until is not None and row.now < row.open_until <= row.now + period
    return BreakerView(**values, is_open=is_open)


def count_dropped(engine: Engine, column: str) -> None:
    """Count a message that was dropped: `stale_messages` or `unknown_messages`."""
    with engine.begin() as connection:
        insert_new(connection, BrokerState, id=ROW, failures=0, changed_at=db_now())
        counted: Any = getattr(BrokerState, column)
        connection.execute(_row_update().values({column: counted + 1}))


def _row_update() -> Any:
    return update(BrokerState).where(BrokerState.id == ROW)
