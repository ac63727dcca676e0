"""Statements that PostgreSQL keeps parsed and planned, one copy for each connection.

A statement asks for it by `execution_options(prepare=True)`. Its text must be the same at each
call, so no list of values may stand in it. The driver does not do this by itself.
"""

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Dialect

_PREPARED = "k9ops.prepared"
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")


class PreparedStatement:
    """One that is compiled once too: its rows are the driver's own.

    SQLAlchemy takes half as long to execute a wide statement as PostgreSQL does.
    """

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self._text = str(compiled)
        self._fixed: dict[str, Any] = dict(compiled.params)
        kinds = {name: bind.type.dialect_impl(dialect) for name, bind in compiled.binds.items()}
        found = {name: kind.bind_processor(dialect) for name, kind in kinds.items()}
        self._makers: dict[str, Callable[[Any], Any]] = {k: v for k, v in found.items() if v}

    def execute(self, connection: Connection, values: dict[str, Any]) -> Any:
        """Its result, with these values for its parameters."""
        given = self._fixed | values
        for name, make in self._makers.items():
            given[name] = make(given[name])
        return connection.exec_driver_sql(self._text, given, execution_options={"prepare": True})


def execute_prepared(cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
    """Execute the statement by its prepared copy, if it asks for one; whether it did."""
    if not context.execution_options.get("prepare"):
        return False
    known: dict[str, str] = context.root_connection.info.setdefault(_PREPARED, {})
    if statement not in known:
        name = f"k9ops_{len(known)}"
        text, names = _numbered(statement)
        cursor.execute(f"PREPARE {name} AS {text}")
        known[statement] = f"EXECUTE {name} ({', '.join(f'%({given})s' for given in names)})"
    cursor.execute(known[statement], parameters)
    return True


def _numbered(statement: str) -> tuple[str, list[str]]:
    """The text with `$1` for the first parameter and so on, and their names."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    return _PLACEHOLDER.sub(number, statement).replace("%%", "%"), names
