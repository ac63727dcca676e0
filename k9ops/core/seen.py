"""Guarding an edit against a form that was opened before somebody else's change.

A form carries a digest of the values that it showed. Who writes them holds the row, and refuses
when it has other values by now.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import false, inspect, update
from sqlalchemy.exc import InvalidRequestError

from k9ops.core.db import Base, db
from k9ops.core.errors import Conflict
from k9ops.core.i18n import gettext as _


class Stale(Conflict):
    """Somebody changed the row after the form was opened."""

    code = "stale"


def digest_of(row: object, names: Iterable[str]) -> str:
    """A short word for the values that these columns of the row have."""
    values = {name: _plain(getattr(row, name)) for name in names}
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _plain(value: Any) -> str | None:
    return None if value is None else str(value)


def begin_to_write(table: type[Base]) -> None:
    """On SQLite, which knows no FOR UPDATE, keep all others from writing until the end."""
    if db.session.get_bind().dialect.name == "sqlite":
        rows: Any = table.__table__
        db.session.execute(update(rows).where(false()).values(id=rows.c.id))


def hold(row: Base, names: Iterable[str] = ("id",)) -> None:
    """Read these columns anew; nobody else writes the row until the transaction ends.

    Raises:
        Conflict: the row is gone.
    """
    begin_to_write(type(row))
    try:
        db.session.refresh(row, list(names), with_for_update={"of": type(row)})
    except InvalidRequestError as error:
        db.session.rollback()
        raise Conflict(_("Something changed in the meantime. Look again.")) from error


def write(
    row: Base,
    values: Mapping[str, Any],
    seen: str | None = None,
    shown: Iterable[str] | None = None,
) -> dict[str, tuple[Any, Any]]:
    """Write the values into a row; those that are others than before, as (before, now).

    `seen` is the digest of a form that had `shown` these columns, by default those of the values.
    What the row has already is never refused. A new row is only filled.

    Raises:
        Conflict: the row is gone.
        Stale: the row changed since it was `seen`; the transaction is undone.
    """
    shown = list(values if shown is None else shown)
    if inspect(row).persistent:
        hold(row, {*values, *shown})
    pairs = {name: (getattr(row, name), value) for name, value in values.items()}
    changes = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    if changes:
        require_seen(row, shown, seen)
    for name, (_before, now) in changes.items():
        setattr(row, name, now)
    return changes


def require_seen(row: object, shown: Iterable[str], seen: str | None) -> None:
    """Go on only if these columns have the values that were `seen`, if any were.

    Raises:
        Stale: they have others by now; the transaction is undone.
    """
    if seen and seen != digest_of(row, shown):
        db.session.rollback()
        hint = _("Look at what is kept now; if you save again, what you typed takes its place.")
        raise Stale(_("Somebody changed this in the meantime."), field="seen", hint=hint)
