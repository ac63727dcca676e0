"""SQLite's write-ahead log, which long writing lets grow."""

from pathlib import Path

from sqlalchemy import Engine

#: Whoever cuts the log holds all writers up meanwhile, so it waits no longer than this for readers.
_PATIENCE_MS = 100


def cut_wal(engine: Engine, over_bytes: int = 0) -> None:
    """Bring the log into the database and empty it, if it is larger; on SQLite only.

    A reader in the way leaves it as it is: ask again. The caller has no open transaction.
    """
    if engine.dialect.name != "sqlite" or _wal_bytes(engine) <= over_bytes:
        return
    with engine.connect() as connection:
        patience = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
        connection.exec_driver_sql(f"PRAGMA busy_timeout={_PATIENCE_MS}")
        try:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={patience}")


def _wal_bytes(engine: Engine) -> int:
    path = Path(f"{engine.url.database}-wal")
    return path.stat().st_size if path.exists() else 0
