"""Statements that PostgreSQL keeps parsed and planned, one copy for each connection.

A statement asks for it by `execution_options(prepare=True)`. Its text must be the same at each
call, so no list of values may stand in it. The driver does not do this by itself.
"""

import re
from typing import Any

_PREPARED = "k9ops.prepared"
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")


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
