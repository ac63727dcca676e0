"""Statements that PostgreSQL keeps parsed and planned, one copy for each connection.

A statement asks for it by the execution option `prepare`, as `PreparedStatement` does. The text
must be the same at each call, so what is fixed stands in it and the rest are parameters. The
driver does not do this by itself.
"""

import re
from collections import namedtuple
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, CursorResult, Dialect
from sqlalchemy.orm import Session

_PREPARED = "k9ops.prepared"
#: What PostgreSQL says when a column's type was changed since; it would say so ever again.
_OUTDATED = "cached plan must not change result type"
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")


class PreparedStatement:
    """One that is compiled once too, parameters and columns looked up beforehand.

    SQLAlchemy takes half as long to execute a wide statement as PostgreSQL does. SQLite prepares
    every statement by itself; there it is compiled once, no more.
    """

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        if dialect.positional:
            named: Any = type(dialect)
            dialect = named(paramstyle="named")
        known = statement.compile(dialect=dialect).binds
        later = dict.fromkeys(name for name, bind in known.items() if bind.required)
        whole = {"render_postcompile": True}
        compiled = statement.params(later).compile(dialect=dialect, compile_kwargs=whole)
        self._text = str(compiled)
        binds = {name: one for name, one in compiled.binds.items() if not one.literal_execute}
        self._fixed = {name: bind.effective_value for name, bind in binds.items()}
        kinds = {name: bind.type.dialect_impl(dialect) for name, bind in binds.items()}
        found = {name: kind.bind_processor(dialect) for name, kind in kinds.items()}
        self._makers: dict[str, Callable[[Any], Any]] = {k: v for k, v in found.items() if v}
        self._types = [column.type.dialect_impl(dialect) for column in statement.selected_columns]
        self._dialect = dialect
        self._reading: tuple[Any, list[Callable[[Any], Any] | None]] | None = None

    def one_or_none(self, connection: Connection, values: dict[str, Any]) -> Any:
        """Its only row, with these values for its parameters; None if it has none."""
        result = self._executed(connection, values)
        made, found = self._maker(result), result.one_or_none()
        return None if found is None else made(found)

    def all(self, connection: Connection, values: dict[str, Any]) -> list[Any]:
        """Its rows, with these values for its parameters."""
        result = self._executed(connection, values)
        return list(map(self._maker(result), result))

    def _executed(self, connection: Connection, values: dict[str, Any]) -> CursorResult[Any]:
        given = self._fixed | values
        for name, make in self._makers.items():
            given[name] = make(given[name])
        return connection.exec_driver_sql(self._text, given, execution_options={"prepare": True})

    def _maker(self, result: CursorResult[Any]) -> Callable[[Any], Any]:
        """What makes a row of the driver's."""
        row, readers = self._reading = self._reading or self._learnt(result.cursor.description)

        def made(found: Any) -> Any:
            pairs = zip(readers, found, strict=True)
            return row(*(read(value) if read else value for read, value in pairs))

        return made

    def _learnt(self, description: Any) -> tuple[Any, list[Callable[[Any], Any] | None]]:
        """What a row is made of, and what makes its values of the driver's."""
        names, codes, *_ = zip(*description, strict=True)
        kinds = zip(self._types, codes, strict=True)
        readers = [kind.result_processor(self._dialect, code) for kind, code in kinds]
        return namedtuple("Row", names), readers


class KeptQuery:
    """A small query that nearly every page asks: built and compiled once for each database.

    `build` gives it, with `bindparam` for what differs from call to call, and no list among them.
    It does not see what the session has not flushed.
    """

    # SQLAlchemy takes longer to build and compile such a one than the database to answer it.
    def __init__(self, build: Callable[[], Any]) -> None:
        self._prepared = lru_cache(maxsize=2)(lambda dialect: PreparedStatement(build(), dialect))

    def all(self, session: Session, **values: Any) -> list[Any]:
        """Its rows, with these values for its parameters."""
        connection = session.connection()
        return self._prepared(connection.dialect).all(connection, values)

    def scalar(self, session: Session, **values: Any) -> Any:
        """The first value of its only row; None if it has none."""
        rows = self.all(session, **values)
        return rows[0][0] if rows else None


def execute_prepared(cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
    """Execute the statement by its prepared copy, if it asks for one; whether it did."""
    if not context.execution_options.get("prepare"):
        return False
    known: dict[str, str] = context.root_connection.info.setdefault(_PREPARED, {})
    if statement not in known:
        name = f"k9ops_{len(known)}"
        text, names = _numbered(statement)
        cursor.execute(f"PREPARE {name} AS {text}")
        values = ", ".join(f"%({given})s" for given in names)
        known[statement] = f"EXECUTE {name} ({values})" if names else f"EXECUTE {name}"
    cursor.execute(known[statement], parameters)
    return True


def drop_outdated(context: Any) -> None:
    """Give a connection up whose plans are older than the tables (a listener of `handle_error`)."""
    if _OUTDATED in str(context.original_exception):
        context.is_disconnect = True


def _numbered(statement: str) -> tuple[str, list[str]]:
    """The text with `$1` for the first parameter and so on, and their names."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    return _PLACEHOLDER.sub(number, statement).replace("%%", "%"), names
