"""Pages by key: as fast at the end of a long table as at its beginning. Short lists by number."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from k9ops.core.i18n import language

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


@dataclass(frozen=True)
class Page(Generic[T]):
    """Rows, newest first; `newer` and `older` are the keys to ask with, None at either end."""

    items: list[T]
    newer: Any | None = None
    older: Any | None = None


def keyset_page(
    session: Session,
    query: Select[T],
    key: InstrumentedAttribute[Any],
    *,
    limit: int,
    before: Any | None = None,
    after: Any | None = None,
) -> Page[T]:
    """The page of `query` just older than `before` or just newer than `after`, else the newest.

    `key` is unique. Beyond either end (the rows may be gone by now) it is the newest page.
    """
    backwards = after is not None
    wanted = query
    if backwards:
        wanted = query.where(key > after)
    elif before is not None:
        wanted = query.where(key < before)
    order = key.asc() if backwards else key.desc()
    rows = list(session.scalars(wanted.order_by(order).limit(limit + 1)))
    items = rows[:limit][::-1] if backwards else rows[:limit]
    if not items:
        asked = backwards or before is not None
        return keyset_page(session, query, key, limit=limit) if asked else Page([])
    has_more = len(rows) > limit
    newer, older = (has_more, True) if backwards else (before is not None, has_more)
    return Page(
        items,
        newer=getattr(items[0], key.key) if newer else None,
        older=getattr(items[-1], key.key) if older else None,
    )


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
        ordered = chosen.desc() if self.down else chosen.asc()
        return ordered.nulls_last(), unique.desc() if self.down else unique


def by_name(table: Any) -> tuple[ColumnElement[Any], InstrumentedAttribute[int]]:
    """The order of the names that the reader sees, then of the ids."""
    reads_english = language() == "en"
    english = func.coalesce(func.nullif(table.name_en, ""), table.name)
    return (english if reads_english else table.name), table.id


def containing(words: str, *columns: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """The rows in which one of the columns has these words, whatever the letter case."""
    return or_(*(column.icontains(words, autoescape=True) for column in columns))
