"""The one door to SQLite's own machinery: online backup, integrity check, counts."""

import sqlite3
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

#: How long a copy waits for another connection's lock.
PATIENCE_SECONDS = 30.0


class Fault(Exception):
    """SQLite refuses; the text says why."""


class NotADatabase(Fault):
    """The file is no SQLite database, or a damaged one."""


class Full(Fault):
    """The disk is full."""


def copy(source: Path, target: Path) -> None:
    """Copy `source` into `target` by the online backup API, in one step and from one snapshot.

    Safe beside readers and writers of either file. Connections that have `target` open see it
    wholly old, then wholly new. More than one step would start again at each foreign commit.
    """
    give_up = time.monotonic() + PATIENCE_SECONDS

    def bounded(status: int, _remaining: int, _total: int) -> None:
        busy = status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
        if busy and time.monotonic() > give_up:
            raise Fault(f"{target} stayed locked for {PATIENCE_SECONDS:.0f} s")

    with _opened(source) as origin, _opened(target, "rwc") as goal:
        goal.execute("PRAGMA synchronous=FULL")
        origin.backup(goal, pages=-1, progress=bounded, sleep=0.05)
        goal.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def fold(path: Path) -> None:
    """Leave the write-ahead mode, so that the database is one plain file."""
    with _opened(path) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


def integrity_fault(path: Path) -> str | None:
    """The first fault the integrity check finds; None for a sound database."""
    try:
        with _opened(path) as connection:
            answer: str = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except Fault as fault:
        return str(fault)
    return None if answer == "ok" else answer


def count_rows(path: Path) -> dict[str, int]:
    """Rows of each table; empty for a missing or an empty file.

    Raises:
        NotADatabase: the file is something else.
    """
    if not path.exists():
        return {}
    with _opened(path) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite\\_%'"
            " ESCAPE '\\' ORDER BY name"
        ).fetchall()
        return {name: _count(connection, name) for (name,) in names}


def _count(connection: sqlite3.Connection, table: str) -> int:
    quoted = table.replace('"', '""')
    statement = f'SELECT count(*) FROM "{quoted}"'  # noqa: S608  (quoted)
    count: int = connection.execute(statement).fetchone()[0]
    return count


def migration_head(path: Path) -> str | None:
    """The migration that the database stands at; None where it has none."""
    with _opened(path) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:
            return None
    return row[0] if row else None


@contextmanager
def _opened(path: Path, mode: str = "rw") -> Generator[sqlite3.Connection]:
    # Never `ro`: a database in write-ahead mode needs its shared index beside it even to be read.
    address = f"{path.absolute().as_uri()}?mode={mode}"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=5)) as connection:
            yield connection
    except sqlite3.DatabaseError as error:
        raise _fault(error) from error


def _fault(error: sqlite3.DatabaseError) -> Fault:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return Full(str(error))
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return NotADatabase(str(error))
    return Fault(str(error))
