"""Names that a careless page would take for its own tags, planted wherever a table holds words."""

from typing import Any

from flask import Flask
from sqlalchemy import JSON, Column, String, Table, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from k9ops.core.db import db

#: Part of every planted text; no page may have a tag or an attribute of this name.
MARK = "zq9"
SHORT = f"<{MARK} \"'&>"
LONG = (
    f"</b><script>{MARK}()</script>\" {MARK}='& {SHORT} {{{{ {MARK} }}}} %({MARK})s \u202eاسم\u200f"
)
#: Columns of words that people or programs wrote, by name, whatever the table.
WORDS = {
    "name", "name_en", "full_name", "phone", "breed", "microchip", "number", "code", "notes",
    "note", "lock_reason", "unlock_reason", "created_by", "locked_by", "unlocked_by", "edited_by",
    "paused_by", "requested_by", "actor_name", "target_name", "title", "text", "message", "logger",
    "error_code", "error_message", "error_traceback", "progress_text", "executor", "user_agent",
    "reason_text", "description", "comment",
}  # fmt: skip
#: Names of things that programs look up; what they call unknown is another matter.
KEPT_TABLES = {"periodic_tasks", "backups", "alembic_version"}
#: Of each table so many of the first rows, and of the last.
ROWS = 4


def plant(app: Flask) -> None:
    """Give the first and the last rows of every table such names."""
    with app.app_context(), Session(db.engine) as session:
        for table in db.metadata.sorted_tables:
            if table.name not in KEPT_TABLES:
                _plant_table(session, table)
        session.commit()


def _plant_table(session: Session, table: Table) -> None:
    columns = [one for one in table.columns if one.name in WORDS and isinstance(one.type, String)]
    documents = [one for one in table.columns if isinstance(one.type, JSON)]
    keys = list(table.primary_key.columns)
    if len(keys) != 1 or not (columns or documents):
        return
    [key] = keys
    ids = list(session.scalars(select(key).order_by(key)))
    for number, chosen in enumerate(dict.fromkeys(ids[:ROWS] + ids[-ROWS:])):
        row = session.execute(select(*documents or [key]).where(key == chosen)).mappings().one()
        values = {one.name: _words(one, number) for one in columns}
        values |= {one.name: _filled(row[one.name]) for one in documents}
        _write(session, update(table).where(key == chosen).values(**values))


def _write(session: Session, statement: Any) -> None:
    try:
        with session.begin_nested():
            session.execute(statement)
    except DBAPIError:
        pass  # the database keeps that row as it is: of a locked day, of the trail


def _words(column: Column[Any], number: int) -> str:
    """A text that fits the column; different each time, since some must be."""
    length = column.type.length or 1000
    return f"{number}{LONG if length > len(LONG) else SHORT}"[:length]


def _filled(value: Any) -> Any:
    """A document whose texts are planted; days and instants stay, being read again."""
    if isinstance(value, dict):
        return {key: _filled(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one) for one in value]
    return LONG if isinstance(value, str) and not value[:4].isdigit() else value
