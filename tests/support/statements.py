"""What a page asks of the database, and how the database finds it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import Engine, event

from k9ops.core.db import db


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """The statements of the block."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


@contextmanager
def noted(engine: Engine) -> Iterator[list[tuple[str, object]]]:
    """The statements of the block with their values."""
    seen: list[tuple[str, object]] = []

    def note(
        _connection: object, _cursor: object, statement: str, values: object, *_rest: object
    ) -> None:
        seen.append((statement, values))

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def plan_of(engine: Engine, statement: str, values: Any) -> str:
    """How the database finds the rows of that statement."""
    how = "EXPLAIN" if engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    with engine.connect() as connection:
        return "\n".join(map(str, connection.exec_driver_sql(f"{how} {statement}", values)))
