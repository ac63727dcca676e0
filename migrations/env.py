"""How migrations run: one transaction for each on both databases, every wait bounded."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrationScript
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import Connection, event
from sqlalchemy.types import TypeDecorator

#: Any number will do, as long as nothing else in the database uses it.
ADVISORY_LOCK = 5_910_042

config = context.config
migrate = current_app.extensions["migrate"]


def render_item(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:
    """Write our own types as what the database stores: a migration imports nothing of ours."""
    if kind == "type" and isinstance(item, TypeDecorator):
        name = type(item.impl_instance).__name__
        return "sa.DateTime(timezone=True)" if name == "DateTime" else f"sa.{item.impl_instance!r}"
    return False


def number_revision(_context: object, _revision: object, scripts: list[MigrationScript]) -> None:
    """Number new migrations 0001, 0002, …; write none when the models did not change."""
    if not getattr(config.cmd_opts, "autogenerate", False):
        return
    operations = scripts[0].upgrade_ops
    if operations is None or operations.is_empty():
        scripts.clear()
        return
    head = ScriptDirectory.from_config(config).get_current_head()
    scripts[0].rev_id = f"{int(head or 0) + 1:04}"


def prepare_sqlite(connection: Connection) -> None:
    """Make a migration one transaction; tables are rebuilt, so keys to them cannot be checked."""
    connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
    connection.commit()
    driver = connection.connection.driver_connection
    if driver is not None:
        driver.isolation_level = None
    event.listen(connection, "begin", lambda begun: begun.exec_driver_sql("BEGIN IMMEDIATE"))


def prepare_postgresql(connection: Connection) -> None:
    """Let one process at a time migrate, and none wait long for a lock on a table in use."""
    connection.exec_driver_sql(f"SELECT pg_advisory_lock({ADVISORY_LOCK})")
    connection.exec_driver_sql("SET lock_timeout = '10s'")
    connection.exec_driver_sql("SET statement_timeout = '10min'")
    connection.commit()


def run() -> None:
    options = {
        **migrate.configure_args,
        "target_metadata": migrate.db.metadata,
        "render_item": render_item,
        "process_revision_directives": number_revision,
        "transaction_per_migration": True,
        "transactional_ddl": True,
    }
    if context.is_offline_mode():
        context.configure(dialect_name=migrate.db.engine.name, literal_binds=True, **options)
        with context.begin_transaction():
            context.run_migrations()
        return
    with migrate.db.engine.connect() as connection:
        # Not given back to the pool: its settings are for migrations only.
        connection.detach()
        if connection.dialect.name == "sqlite":
            prepare_sqlite(connection)
        else:
            prepare_postgresql(connection)
        context.configure(connection=connection, **options)
        with context.begin_transaction():
            context.run_migrations()


run()
