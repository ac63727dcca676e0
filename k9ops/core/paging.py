"""Pages by key: as fast at the end of a long table as at its beginning."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute, Session

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
