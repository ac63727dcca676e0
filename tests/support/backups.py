"""What tests of backups compare: a hash of the rows of every table, and the faults of files."""

import hashlib
import json
from pathlib import Path

from sqlalchemy import MetaData, create_engine, select
from sqlalchemy.pool import NullPool

from config import Settings
from k9ops.backups.manifest import path_beside

#: What a restore itself changes or writes.
LEDGER = {"job_runs", "job_attempts", "job_events", "job_effects", "job_log_lines"}
RESTORES_OWN = LEDGER | {"periodic_tasks", "broker_state", "audit_entries", "notifications"}


def driver_url(url: str) -> str:
    """The address as the product's settings turn it."""
    return Settings(_env_file=None, database_url=url).database_url


def hashes(url: str) -> dict[str, str]:
    """A hash of the rows of each table, whatever order they lie in."""
    engine = create_engine(driver_url(url), poolclass=NullPool)
    metadata = MetaData()
    metadata.reflect(engine)
    with engine.connect() as connection:
        return {
            name: _hash(sorted(repr(tuple(row)) for row in connection.execute(select(table))))
            for name, table in metadata.tables.items()
        }


def without(found: dict[str, str], names: set[str]) -> dict[str, str]:
    return {name: value for name, value in found.items() if name not in names}


def _hash(rows: list[str]) -> str:
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def halve(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def flip_a_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x10
    file.write_bytes(content)


def edit_manifest(file: Path, **changes: object) -> None:
    beside = path_beside(file)
    beside.write_text(json.dumps(json.loads(beside.read_text()) | changes))


def true_to_manifest(file: Path) -> None:
    """Let the manifest agree with a damaged file's size and hash, so that decoding must tell."""
    content = file.read_bytes()
    edit_manifest(file, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
