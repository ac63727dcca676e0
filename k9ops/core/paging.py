"""Pages by key: as fast at the end of a long table as at its beginning. Short lists by number."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import ceil, isfinite
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, literal, select, true, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from k9ops.core.i18n import language
from k9ops.core.spelling import spellings

T = TypeVar("T")


#: No key of a row is larger, and no database takes it: they are whole numbers of four bytes.
LARGEST_KEY = 2**31 - 1


def row_key(text: str) -> int:
    """Read a key of a row from an address or a form (as `type=` of werkzeug's `get`).

    Raises:
        ValueError: no row can have it.
    """
    key = int(text)
    if not 0 <= key <= LARGEST_KEY:
        raise ValueError("no key of a row")
    return key


def _text(text: str) -> str:
    if "\0" in text:
        raise ValueError("no database takes it")
    return text


def _number(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError("no number of a row")
    return number


#: How a value that stands in an address is read, by the type of its column.
_READERS: dict[type, Callable[[str], Any]] = {int: row_key, float: _number, str: _text}


def _read(column: Any, text: str) -> Any:
    return _READERS[column.type.python_type](text)


@dataclass(frozen=True)
class Page(Generic[T]):
    """Rows in their order, mostly the newest first.

    `newer` and `older` are the places to ask with for the page before and after; None at either
    end. A place is the key of a row, and the value that the list is sorted by, as it was shown.
    """

    items: list[T]
    newer: Any | None = None
    older: Any | None = None


class Part(NamedTuple):
    """Rows that one index has in the wanted order: which, and how they are ordered."""

    where: tuple[ColumnElement[bool], ...]
    order: tuple[Any, ...]


@dataclass(frozen=True)
class Sorting:
    """By a column, then by the unique key; rows without a value stand last in both directions.

    The column may be the key itself. Each column has an index that ends with the key.
    """

    column: Any
    key: Any
    down: bool = False

    def place(self, row: Any) -> Any:
        """Where the row stands, for an address: it may be elsewhere by the time one turns over."""
        key = getattr(row, self.key.key)
        if self.column is self.key:
            return key
        value = getattr(row, self.column.key)
        return f"{key}" if value is None else f"{key}~{value}"

    def edge(self, place: Any) -> tuple[Any, ...] | None:
        """The values of a place; None when it is none of this order."""
        key, told, value = str(place).partition("~")
        try:
            values = (_read(self.column, value),) if told else ()
            edge = (*values, _read(self.key, key))
        except ValueError:
            return None
        return edge if any(len(part.order) == len(edge) for part in self._parts()) else None

    def parts(self, edge: tuple[Any, ...] | None = None, *, backwards: bool = False) -> list[Part]:
        """What to read, one after the other, from the beginning or from beyond the edge on."""
        parts, down = self._parts()[:: -1 if backwards else 1], self.down is not backwards
        while edge and len(parts[0].order) != len(edge):
            parts.pop(0)
        if edge:
            where, columns = parts[0]
            parts[0] = Part((*where, _beyond(columns, edge, down)), columns)
        return [
            Part(one.where, tuple(_directed(column, down) for column in one.order)) for one in parts
        ]

    def _parts(self) -> list[Part]:
        both = (self.column, self.key)
        if self.column is self.key:
            return [Part((), (self.key,))]
        if not self.column.expression.nullable:
            return [Part((), both)]
        empty = self.column.is_(None)
        return [Part((~empty,), both), Part((empty,), (self.key,))]


def _directed(column: Any, down: bool) -> Any:
    return column.desc() if down else column.asc()


def _beyond(columns: tuple[Any, ...], edge: tuple[Any, ...], down: bool) -> ColumnElement[bool]:
    values = [literal(value, column.type) for column, value in zip(columns, edge, strict=True)]
    here: Any = columns[0] if len(columns) == 1 else tuple_(*columns)
    there: Any = values[0] if len(columns) == 1 else tuple_(*values)
    found: ColumnElement[bool] = here < there if down else here > there
    return found


def sorted_page(
    sorting: Sorting,
    read: Callable[[Part, int], Sequence[T]],
    *,
    limit: int,
    before: Any | None = None,
    after: Any | None = None,
) -> Page[T]:
    """The page that follows the place `before`, or goes before the place `after`, else the first.

    `read(part, most)` reads so many rows of a part at most.
    """
    at, backwards = (before, False) if after is None else (after, True)
    edge = None if at is None else sorting.edge(at)
    backwards = backwards and edge is not None
    rows: list[T] = []
    for part in sorting.parts(edge, backwards=backwards):
        if len(rows) <= limit:
            rows += read(part, limit + 1 - len(rows))
    items, has_more = rows[:limit], len(rows) > limit
    if backwards:
        items.reverse()
    newer, older = (has_more, True) if backwards else (edge is not None, has_more)
    return Page(
        items,
        sorting.place(items[0]) if items and newer else None,
        sorting.place(items[-1]) if items and older else None,
    )


def keyset_page(
    session: Session,
    query: Select[T],
    key: InstrumentedAttribute[Any],
    *,
    limit: int,
    before: Any | None = None,
    after: Any | None = None,
    sorting: Sorting | None = None,
) -> Page[T]:
    """A page of `query`, the largest `key` first unless `sorting` says otherwise.

    Beyond either end (the rows may be gone by now) it is the first page.
    """

    def read(part: Part, most: int) -> Sequence[T]:
        return session.scalars(query.where(*part.where).order_by(*part.order).limit(most)).all()

    how = sorting or Sorting(key, key, down=True)
    page = sorted_page(how, read, limit=limit, before=before, after=after)
    if page.items or (before is None and after is None):
        return page
    return sorted_page(how, read, limit=limit)


@dataclass(frozen=True)
class NumberedPage(Generic[T]):
    """Page `number`, counted from 1, of a list of `total` rows."""

    items: list[T]
    number: int
    total: int
    limit: int

    @property
    def first(self) -> int:
        """The place of its first row in the list, counted from 1."""
        return (self.number - 1) * self.limit + 1

    @property
    def last(self) -> int:
        return self.first + len(self.items) - 1

    @property
    def previous(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        return self.number + 1 if self.last < self.total else None


def numbered_page(
    session: Session,
    query: Select[T],
    *order: ColumnElement[Any] | InstrumentedAttribute[Any],
    number: int = 1,
    limit: int = 25,
) -> NumberedPage[T]:
    """A page of a list sorted by words, which has some thousands of rows at most: one statement.

    `order` ends with a unique column. A page beyond the end is the last one.
    """
    number = min(max(1, number), LARGEST_KEY)
    wanted = query.add_columns(func.count().over()).order_by(*order)
    rows = session.execute(wanted.offset((number - 1) * limit).limit(limit)).all()
    if rows or number == 1:
        total = rows[0][-1] if rows else 0
        return NumberedPage([row[0] for row in rows], number, total, limit)
    total = numbered_page(session, query, *order, limit=1).total
    return numbered_page(session, query, *order, number=ceil(total / limit), limit=limit)


def in_batches(
    session: Session, query: Select[T], key: InstrumentedAttribute[Any], *, size: int = 500
) -> Iterator[T]:
    """All rows of `query` for a file, the largest `key` first; as `whole`, but piece by piece."""
    rows = list(whole(session, query, key.desc(), limit=size))
    while rows:
        last = getattr(rows[-1], key.key)
        yield from rows
        rows = list(whole(session, query.where(key < last), key.desc(), limit=size))


def whole(session: Session, query: Select[T], *order: Any, limit: int | None = None) -> Iterator[T]:
    """All rows of `query` for a file, read when the first one is taken.

    They leave the session and the transaction ends, so that whoever takes the file slowly holds
    nothing up. What a row is asked for must have been loaded with it.
    """
    rows = session.scalars(query.order_by(*order).limit(limit)).all()
    session.expunge_all()
    session.rollback()
    yield from rows


def values_of(session: Session, column: InstrumentedAttribute[T], *where: Any) -> list[T]:
    """The different values of a column in their order, by one step in an index for each."""
    least = func.min(column)
    first = select(least.label("value")).where(*where).cte("steps", recursive=True)
    following = select(least).where(*where, column > first.c.value).scalar_subquery()
    steps = first.union_all(select(following).where(first.c.value.is_not(None)))
    return list(session.scalars(select(steps.c.value).where(steps.c.value.is_not(None))))


@dataclass(frozen=True)
class Order:
    """By which of its heads a list is sorted; `down`: the largest first."""

    by: str
    down: bool = False
    #: Whether the list is so when nobody asks for an order.
    usual: bool = False

    def of(self, heads: Mapping[str, Any], unique: Any) -> tuple[Any, ...]:
        """The columns to order by: that of the head, then a unique one; what is empty stands last.

        A head that is not there counts as the first one.
        """
        chosen = heads.get(self.by, next(iter(heads.values())))
        return _directed(chosen, self.down).nulls_last(), _directed(unique, self.down)

    def sorting(self, heads: Mapping[str, Any], key: Any) -> Sorting:
        """The same for a list that is paged by key."""
        return Sorting(heads.get(self.by, key), key, self.down)


def in_order(rows: Iterable[T], value: Callable[[T], Any], order: Order) -> list[T]:
    """Rows that no database sorts; those without a value stand last in both directions."""
    told = [(value(row), row) for row in rows]
    filled = sorted(
        (one for one in told if one[0] is not None), key=lambda one: one[0], reverse=order.down
    )
    return [row for _value, row in [*filled, *(one for one in told if one[0] is None)]]


def by_name(table: Any) -> tuple[ColumnElement[Any], InstrumentedAttribute[int]]:
    """The order of the names that the reader sees, then of the ids."""
    reads_english = language() == "en"
    english = func.coalesce(func.nullif(table.name_en, ""), table.name)
    return (english if reads_english else table.name), table.id


def containing(words: str, *columns: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """The rows in which each of the words stands in one of the columns, however it is spelled.

    A pattern of spellings: to fold the letters of each row costs twenty times as much. The columns
    are looked through as one text, in lines of its own: no word goes over the end of a line.
    """
    texts = (func.coalesce(one, "") for one in columns)
    whole_text: ColumnElement[str] = reduce(lambda text, line: text + "\n" + line, texts)
    return and_(true(), *(whole_text.regexp_match(word) for word in spellings(words)))
