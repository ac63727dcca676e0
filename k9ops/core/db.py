"""The database: one base class, one session, one type for instants, and the engine's settings."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    JSON,
    CheckConstraint,
    Connection,
    CursorResult,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    Result,
    String,
    event,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlalchemy.orm import (
    DeclarativeBase,
    ORMExecuteState,
    Session,
    SessionTransaction,
    registry,
)
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator
from uuid6 import uuid7

from k9ops.core.prepared_statements import drop_outdated, execute_prepared

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware in Python, `timestamptz` on PostgreSQL, UTC text on SQLite."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(DateTime(timezone=dialect.name == "postgresql"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


#: A UUIDv7 as text: native on PostgreSQL, 36 signs on SQLite, a `str` in Python.
RunId = String(36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")


def new_id() -> str:
    """A new UUIDv7: sorts by the time of its making."""
    return str(uuid7())


class Base(DeclarativeBase):
    """Base of every table."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={datetime: UtcDateTime(), dict[str, Any]: JSON()},
    )


def one_of(column: str, words: tuple[str, ...]) -> CheckConstraint:
    """The rule that a column holds one of these words."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


_INSERTS: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
_WROTE = "k9ops.wrote"
_RETURNED = "k9ops.returned"
#: A connection returned to the pool so lately is used without asking whether it lives.
_TRUSTED_SECONDS = 1.0

#: SQLite's numbers for busy, locked, read-only, a fault of the disk, full, and not to be opened.
_SQLITE_LACKS = (5, 6, 8, 10, 13, 14)
#: PostgreSQL's classes for no connection, no room, a lock that is held, and being shut down.
_POSTGRESQL_LACKS = ("08", "53", "55", "57")

db = SQLAlchemy(model_class=Base)
migrate = Migrate()


def engine_options(url: str) -> dict[str, Any]:
    """Options of the engine for `url`: waits for a connection are bounded, no error tells values.

    Waits for a row are not: a page waits while a restore replaces the tables.
    """
    if url.startswith("sqlite"):
        return {"hide_parameters": True, "connect_args": {"timeout": 5}}
    keepalives = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
    return {
        "hide_parameters": True,
        "pool_size": 10,
        "max_overflow": 20,
        "pool_timeout": 10,
        # The one used last: it lives, and has its statements prepared.
        "pool_use_lifo": True,
        "connect_args": {"connect_timeout": 5, "application_name": "k9ops", **keepalives},
    }


def init_db(app: Flask, url: str) -> None:
    """Bind the database at `url` to the application; opens no connection."""
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(url)
    db.init_app(app)
    migrate.init_app(app, db, render_as_batch=True, compare_type=True)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            event.listen(db.engine, "connect", set_sqlite_pragmas)
        else:
            event.listen(db.engine, "do_execute", execute_prepared)
            event.listen(db.engine, "handle_error", drop_outdated)
            event.listen(db.engine, "checkin", _note_return)
            event.listen(db.engine, "checkout", partial(_ping_if_idle, db.engine.dialect))


def set_sqlite_pragmas(connection: Any, _record: object) -> None:
    """WAL, checked foreign keys. The driver's own transaction mode stays: it never starves."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _note_return(_connection: object, record: ConnectionPoolEntry | None) -> None:
    if record is not None:
        record.info[_RETURNED] = time.monotonic()


def _ping_if_idle(
    dialect: Dialect, connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object
) -> None:
    """Replace a connection that died while it lay idle; one just used is not asked again."""
    returned = record.info.get(_RETURNED)
    if returned is None or time.monotonic() - returned < _TRUSTED_SECONDS:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise DisconnectionError from error


def is_lacking(error: OperationalError) -> bool:
    """Whether the database is away, full or kept by others, and was not asked something wrong."""
    cause: Any = error.orig
    if hasattr(cause, "pgcode"):  # without one the connection was lost
        return cause.pgcode is None or cause.pgcode.startswith(_POSTGRESQL_LACKS)
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF in _SQLITE_LACKS


def join_as_written(session: Session) -> None:
    """Let PostgreSQL keep to the order of the joins until the transaction ends.

    To weigh all orders of eight tables takes it 13 ms, and the statement itself less than one.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL join_collapse_limit = 3"))


def insert_new(connection: Connection | Session, table: type[Base], **values: Any) -> bool:
    """Insert a row unless a unique key of it is taken; whether it was inserted."""
    bind = connection.get_bind() if isinstance(connection, Session) else connection
    result = connection.execute(insert_unless_taken(bind.dialect.name, table).values(**values))
    return cast("CursorResult[Any]", result).rowcount == 1


def insert_unless_taken(dialect: str, table: type[Base]) -> Any:
    """The INSERT that does nothing where a unique key is taken.

    Over the table itself: a statement over a mapped class costs three times as much to prepare.
    """
    return _INSERTS[dialect](table.__table__).on_conflict_do_nothing()


def changed(result: Result[Any]) -> bool:
    """Whether a conditional UPDATE or DELETE met its row."""
    return cast("CursorResult[Any]", result).rowcount > 0


@contextmanager
def one_statement(engine: Engine) -> Iterator[Connection]:
    """A connection for what is one statement on PostgreSQL, which needs no BEGIN and no COMMIT.

    On SQLite, where the same is several, a transaction.
    """
    if engine.dialect.name != "postgresql":
        with engine.begin() as connection:
            yield connection
        return
    with engine.connect() as connection:
        # The driver's own switch: SQLAlchemy's costs a round trip each time.
        driver: Any = connection.connection.driver_connection
        driver.autocommit = True
        try:
            yield connection
        finally:
            with suppress(driver.Error):  # the connection is dead
                driver.autocommit = False


def holds_writes(session: Session) -> bool:
    """Whether the session's open transaction would be overtaken by a commit beside it."""
    pending = session.new or session.dirty or session.deleted
    return bool(pending) or bool(session.info.get(_WROTE))


def mark_written(session: Session) -> None:
    """Remember that something was written past the session, on its connection."""
    session.info[_WROTE] = True


@event.listens_for(Session, "after_flush")
def _remember_flush(session: Session, _context: object) -> None:
    mark_written(session)


@event.listens_for(Session, "do_orm_execute")
def _remember_statement(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        mark_written(state.session)


@event.listens_for(Session, "after_transaction_end")
def _forget_writes(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_WROTE, None)


def engine() -> Engine:
    """The engine of the running application; needs an application context."""
    return db.engine
