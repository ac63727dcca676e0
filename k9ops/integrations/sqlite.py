"""The one door to SQLite's own machinery: online backup, integrity check, counts."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

#: How long a copy waits for another connection's lock.
PATIENCE_SECONDS = 30.0


class NotADatabase(Exception):
    """The file is no SQLite database, or a damaged one."""


class Locked(Exception):
    """Another connection kept the database locked for longer than the copy waits."""


class Full(Exception):
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
            raise Locked(f"{target} stayed locked for {PATIENCE_SECONDS:.0f} s")

    with closing(_open(source, "rw")) as origin, closing(_open(target, "rwc")) as goal:
        try:
            goal.execute("PRAGMA synchronous=FULL")
            origin.backup(goal, pages=-1, progress=bounded, sleep=0.05)
            goal.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.DatabaseError as error:
            raise _explained(error) from error


def fold(path: Path) -> None:
    """Leave the write-ahead mode, so that the database is one plain file."""
    with closing(_open(path, "rw")) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


def integrity_fault(path: Path) -> str | None:
    """The first fault the integrity check finds; None for a sound database."""
    try:
        with closing(_open(path, "rw")) as connection:
            answer: str = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if answer == "ok" else answer


def count_rows(path: Path) -> dict[str, int]:
    """Rows of each table; empty for a missing or an empty file.

    Raises:
        NotADatabase: the file is something else.
    """
    if not path.exists():
        return {}
    try:
        with closing(_open(path, "rw")) as connection:
            names = connection.execute(
                "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite\\_%'"
                " ESCAPE '\\' ORDER BY name"
            ).fetchall()
            return {name: _count(connection, name) for (name,) in names}
    except sqlite3.DatabaseError as error:
        raise _explained(error) from error


def _count(connection: sqlite3.Connection, table: str) -> int:
    quoted = table.replace('"', '""')
    statement = f'SELECT count(*) FROM "{quoted}"'  # noqa: S608  (quoted)
    count: int = connection.execute(statement).fetchone()[0]
    return count


def migration_head(path: Path) -> str | None:
    """The migration that the database stands at; None where it has none."""
    with closing(_open(path, "rw")) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:
            return None
    return row[0] if row else None


def _open(path: Path, mode: str) -> sqlite3.Connection:
    # Never `ro`: a database in write-ahead mode needs its shared index beside it even to be read.
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=5)


def _explained(error: sqlite3.DatabaseError) -> Exception:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return Full(str(error))
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return NotADatabase(str(error))
    return error
