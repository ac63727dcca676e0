"""Reading the live database into one compressed, hashed file, from one snapshot of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine

from k9ops.backups.manifest import Kind
from k9ops.core.clock import utcnow
from k9ops.integrations import postgresql, sqlite
from k9ops.integrations.zstd import CHUNK, Packer


class Report(Protocol):
    """Tells how far the work is; may raise to stop it."""

    def __call__(self, done: float, total: float | None = None, text: str = "") -> None: ...


def silent(done: float, total: float | None = None, text: str = "") -> None:
    """A report that nobody reads."""


@dataclass(frozen=True)
class Taken:
    """What was read, besides its bytes."""

    database_version: int
    tables: dict[str, int]
    migration_head: str | None
    created_at: datetime


def kind_of(engine: Engine) -> Kind:
    return "sqlite" if engine.dialect.name == "sqlite" else "postgresql"


def database_file(engine: Engine) -> Path:
    """The file of a SQLite engine."""
    return Path(engine.url.database or "")


def read(engine: Engine, packer: Packer, beside: Path, report: Callable[[], None]) -> Taken:
    """Pack the database of `engine`; `report` is called after each piece, `beside` is scratch."""
    if kind_of(engine) == "sqlite":
        return _read_sqlite(database_file(engine), packer, beside, report)
    return _read_postgresql(engine, packer, report)


def _read_sqlite(live: Path, packer: Packer, beside: Path, report: Callable[[], None]) -> Taken:
    plain = beside / "plain"
    created_at = utcnow()
    sqlite.copy(live, plain)
    sqlite.fold(plain)
    with plain.open("rb") as file:
        while chunk := file.read(CHUNK):
            packer.write(chunk)
            report()
    return Taken(3, sqlite.count_rows(plain), sqlite.migration_head(plain), created_at)


def _read_postgresql(engine: Engine, packer: Packer, report: Callable[[], None]) -> Taken:
    with postgresql.snapshot(engine) as snapshot:
        created_at = utcnow()
        for chunk in postgresql.dump(engine.url, snapshot):
            packer.write(chunk)
            report()
        tables, head = snapshot.count_rows(), snapshot.migration_head()
    return Taken(snapshot.server_major, tables, head, created_at)
