"""Time: the database's now decides what is due; this host's now only decorates pages."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Float, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement

from k9ops.core.db import UtcDateTime

_offset_seconds = 0.0


def set_offset(seconds: float) -> None:
    """Shift every clock of this process (TEST_CLOCK_OFFSET_SECONDS)."""
    global _offset_seconds
    _offset_seconds = seconds


class db_now(FunctionElement[datetime]):  # noqa: N801  (reads as the SQL function it is)
    """The database's now, in UTC; stable within one statement, so indexes can be used with it."""

    type = UtcDateTime()
    #: Compiled once: the shift is set before the first statement and never again.
    inherit_cache = True


@compiles(db_now, "postgresql")
def _postgresql_now(element: object, compiler: object, **_: object) -> str:
    if not _offset_seconds:
        return "statement_timestamp()"
    return f"(statement_timestamp() + interval '{_offset_seconds} seconds')"


@compiles(db_now, "sqlite")
def _sqlite_now(element: object, compiler: object, **_: object) -> str:
    # Six digits, as SQLAlchemy stores them: SQLite compares these texts sign by sign.
    return f"(strftime('%Y-%m-%d %H:%M:%f', 'now', '{_offset_seconds:+.3f} seconds') || '000')"


class ms_since(FunctionElement[float]):  # noqa: N801  (reads as the SQL function it is)
    """Milliseconds from an instant to the database's now."""

    type = Float()
    inherit_cache = True


@compiles(ms_since, "postgresql")
def _postgresql_ms_since(element: Any, compiler: Any, **options: Any) -> str:
    since = compiler.process(element.clauses, **options)
    return f"extract(epoch from {_postgresql_now(None, None)} - {since}) * 1000"


@compiles(ms_since, "sqlite")
def _sqlite_ms_since(element: Any, compiler: Any, **options: Any) -> str:
    since = compiler.process(element.clauses, **options)
    return f"round((julianday({_sqlite_now(None, None)}) - julianday({since})) * 86400000.0, 3)"


class later(FunctionElement[datetime]):  # noqa: N801  (reads as the SQL function it is)
    """An instant and, given second, how many seconds after it."""

    type = UtcDateTime()
    inherit_cache = True


@compiles(later, "postgresql")
def _postgresql_later(element: Any, compiler: Any, **options: Any) -> str:
    instant, seconds = (compiler.process(part, **options) for part in element.clauses)
    return f"({instant} + ({seconds}) * interval '1 second')"


@compiles(later, "sqlite")
def _sqlite_later(element: Any, compiler: Any, **options: Any) -> str:
    instant, seconds = (compiler.process(part, **options) for part in element.clauses)
    return f"(strftime('%Y-%m-%d %H:%M:%f', {instant}, ({seconds}) || ' seconds') || '000')"


def read_now(connection: Connection | Session) -> datetime:
    """Ask the database for its now (aware, UTC)."""
    return connection.execute(select(db_now())).scalar_one()


def utcnow() -> datetime:
    """This host's now (aware, UTC), shifted like the database's in tests."""
    return datetime.now(UTC) + timedelta(seconds=_offset_seconds)
