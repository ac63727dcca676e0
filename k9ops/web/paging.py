"""Pages by key: as fast at the end of a long table as at its beginning."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute, Session

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some rows, newest first; beyond the keys `newer` and `older` lie more, null at an end."""

    items: Sequence[T]
    newer: Any = None
    older: Any = None


def keyset_page(
    session: Session,
    query: Select[tuple[T]],
    key: InstrumentedAttribute[Any],
    *,
    before: Any = None,
    after: Any = None,
    limit: int = 25,
) -> Page[T]:
    """A page of `query` in descending order of the unique column `key`.

    `before` asks for rows older than that key, `after` for newer ones; where there are none
    (they may be gone by now) the newest page is given.
    """
    if after is not None:
        upwards = query.where(key > after).order_by(key.asc()).limit(limit + 1)
        found = list(session.scalars(upwards))
        rows, has_newer, has_older = found[:limit][::-1], len(found) > limit, True
    else:
        rest = query if before is None else query.where(key < before)
        found = list(session.scalars(rest.order_by(key.desc()).limit(limit + 1)))
        rows, has_newer, has_older = found[:limit], before is not None, len(found) > limit
    if not rows:
        asked = before is not None or after is not None
        return keyset_page(session, query, key, limit=limit) if asked else Page([])
    newer = getattr(rows[0], key.key) if has_newer else None
    older = getattr(rows[-1], key.key) if has_older else None
    return Page(rows, newer, older)
