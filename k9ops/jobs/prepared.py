"""What every run goes through, prepared once: with all that is written along, in one round trip.

PostgreSQL takes the INSERT or UPDATE, its event and what follows as one statement; on SQLite,
where a round trip costs nothing, they are one after the other in the same transaction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import cache, cached_property, lru_cache
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Dialect,
    Row,
    Table,
    bindparam,
    func,
    insert,
    literal,
    null,
    select,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.sql.schema import ScalarElementColumnDefault
from sqlalchemy.sql.visitors import iterate

from k9ops.core.clock import db_now
from k9ops.core.db import UtcDateTime, insert_unless_taken
from k9ops.core.prepared_statements import PreparedStatement
from k9ops.jobs.models import JobEvent, JobRun
from k9ops.jobs.moves import RUNS, Happening, tell_end, write_event
from k9ops.jobs.states import END_STATES, State, may_move

EVENTS = cast("Table", JobEvent.__table__)
_EMPTY: dict[str, Any] = dict.fromkeys(RUNS.c.keys())
_DEFAULTS = {
    column.name: column.default.arg
    for column in RUNS.c
    if isinstance(column.default, ScalarElementColumnDefault)
}


class RunRow(SimpleNamespace):
    """A new run's columns by name."""


@dataclass(frozen=True)
class Moved:
    """The moved run inside a statement: its columns, the database's now, and parameters."""

    run: Any
    now: ColumnElement[Any]
    is_one_statement: bool

    def parameter(self, name: str, column: Any) -> ColumnElement[Any]:
        """A parameter that is stored in that column; a SELECT list needs to know its type."""
        given = bindparam(name, type_=column.type)
        return sql_cast(given, column.type) if self.is_one_statement else given

    def value(self, column: str) -> ColumnElement[Any]:
        """A column of the moved run as a value; null if it did not move."""
        found: ColumnElement[Any] = select(self.run[column]).scalar_subquery()
        return found


class PreparedMove:
    """A move whose statements are built once; `along` gives what is written along with it.

    Call it as `moves.move`, with the parameters of its statements by name. Its rows have these
    columns at least, and the database's `now`; by default all columns.
    """

    def __init__(
        self,
        before: State,
        after: State,
        happening: Happening,
        *,
        where: tuple[ColumnElement[bool], ...],
        values: dict[str, Any],
        along: Callable[[Moved], Any],
        columns: tuple[str, ...] = tuple(RUNS.c.keys()),
    ) -> None:
        if not may_move(before, after):
            raise ValueError(f"no run moves from {before} to {after}")
        self._before, self._after, self._happening = before, after, happening
        self._where, self._values, self._along = where, values, along
        self._columns = columns

    def __call__(
        self, connection: Connection, run_id: str, *, actor: str, detail: Any = None, **given: Any
    ) -> Row[Any] | None:
        """The run's row after the move, or None if it did not hold any more."""
        given |= {"p_run": run_id, "p_actor": actor, "p_detail": detail or {}}
        whole = connection.dialect.name == "postgresql"
        row: Row[Any] | None = (self._at_once if whole else self._by_steps)(connection, given)
        if row is not None and self._after in END_STATES:
            tell_end(connection, row)
        return row

    def _at_once(self, connection: Connection, given: dict[str, Any]) -> Any:
        return self._whole(connection.dialect).one_or_none(connection, given)

    def _by_steps(self, connection: Connection, given: dict[str, Any]) -> Any:
        first, *others = self._steps
        row: Any = connection.execute(first[0], _picked(given, first[1])).one_or_none()
        for statement, names in others if row is not None else ():
            connection.execute(statement, _picked(given | {"p_now": row.now}, names))
        return row

    @property
    def _update(self) -> Any:
        return (
            update(RUNS)
            .where(RUNS.c.id == bindparam("p_run"), RUNS.c.state == self._before, *self._where)
            .values(state=self._after, **self._values)
            .returning(RUNS, db_now().label("now"))
        )

    @lru_cache(maxsize=2)  # noqa: B019  (a move lives as long as its module)
    def _whole(self, dialect: Dialect) -> PreparedStatement:
        """All of it as one statement."""
        run = self._update.cte("moved")
        moved = Moved(run.c, db_now(), is_one_statement=True)
        others = [self._event(moved), self._along(moved)]
        ctes = (one.cte(f"along_{n}") for n, one in enumerate(others))
        chosen = select(*(run.c[name] for name in (*self._columns, "now")))
        return PreparedStatement(chosen.add_cte(*ctes), dialect)

    @cached_property
    def _steps(self) -> Sequence[tuple[Any, frozenset[str]]]:
        """The statements one by one, each with the names of its parameters."""
        run = select(RUNS).where(RUNS.c.id == bindparam("p_run")).subquery()
        now = bindparam("p_now", type_=UtcDateTime())
        moved = Moved(run.c, now, is_one_statement=False)
        statements = (self._update, self._event(moved), self._along(moved))
        return [(statement, _names(statement)) for statement in statements]

    def _event(self, moved: Moved) -> Any:
        values = {
            "run_id": moved.run["id"],
            "at": moved.now,
            "from_state": literal(str(self._before)),
            "to_state": literal(str(self._after)),
            "kind": literal(str(self._happening)),
            "attempt": func.nullif(moved.run["attempts_made"], 0),
            "token": moved.run["token"],
            "actor": moved.parameter("p_actor", EVENTS.c.actor),
            "detail": moved.parameter("p_detail", EVENTS.c.detail),
        }
        return insert_selected(EVENTS, values)


def insert_run(
    connection: Connection,
    happening: Happening,
    *,
    now: tuple[str, ...] = (),
    actor: str | None,
    detail: dict[str, Any],
    **values: Any,
) -> RunRow | None:
    """Insert a run and its first event; the run's row, or None if its key is taken.

    `now`: the columns that are the database's now.
    """
    values = _DEFAULTS | values
    told = {"p_kind": happening, "p_actor": actor, "p_detail": detail}
    whole = connection.dialect.name == "postgresql"
    at = (_record_at_once if whole else _record_by_steps)(connection, values, now, told)
    if at is None:
        return None
    return RunRow(**_EMPTY | values | dict.fromkeys(now, at.astimezone(UTC)))


def _record_at_once(
    connection: Connection, values: dict[str, Any], now: tuple[str, ...], told: dict[str, Any]
) -> Any:
    statement = _recording(tuple(values), now, connection.dialect)
    row = statement.one_or_none(connection, values | told)
    return None if row is None else row.queued_at


def _record_by_steps(
    connection: Connection, values: dict[str, Any], now: tuple[str, ...], told: dict[str, Any]
) -> Any:
    at = connection.scalar(_inserting("sqlite", tuple(values), now), values)
    if at is not None:
        write_event(
            connection, values["id"], None, State(values["state"]), told["p_kind"],
            at=at, token=0, actor=told["p_actor"], detail=told["p_detail"],
        )  # fmt: skip
    return at


@cache
def _inserting(dialect: str, names: tuple[str, ...], now: tuple[str, ...]) -> Any:
    values: dict[str, Any] = {name: bindparam(name) for name in names}
    values |= {name: db_now() for name in now}
    known = RUNS.c.queued_at, RUNS.c.id, RUNS.c.state
    return insert_unless_taken(dialect, JobRun).values(values).returning(*known)


@lru_cache(maxsize=8)
def _recording(names: tuple[str, ...], now: tuple[str, ...], dialect: Dialect) -> PreparedStatement:
    """The run and its event as one statement."""
    run = _inserting("postgresql", names, now).cte("recorded")
    moved = Moved(run.c, run.c.queued_at, is_one_statement=True)
    event = {
        "run_id": run.c.id,
        "at": moved.now,
        "from_state": null(),
        "to_state": run.c.state,
        "kind": moved.parameter("p_kind", EVENTS.c.kind),
        "token": literal(0),
        "actor": moved.parameter("p_actor", EVENTS.c.actor),
        "detail": moved.parameter("p_detail", EVENTS.c.detail),
    }
    noted = insert_selected(EVENTS, event).cte("noted")
    return PreparedStatement(select(run.c.queued_at).add_cte(noted), dialect)


def insert_selected(table: Table, values: dict[str, Any]) -> Any:
    """An INSERT of what is selected from the moved run."""
    chosen = select(*values.values())
    return insert(table).from_select(list(values), chosen, include_defaults=False)


def _names(statement: Any) -> frozenset[str]:
    return frozenset(part.key for part in iterate(statement) if isinstance(part, BindParameter))


def _picked(given: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    """No more than the statement knows: SQLAlchemy takes others for columns to set."""
    return {name: value for name, value in given.items() if name in names}
