"""Guarding an edit against a form that was opened before somebody else's change.

A form carries a digest of the values that it showed. Who writes them holds the row, and refuses
when it has other values by now.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import false, update
from sqlalchemy.exc import InvalidRequestError

from k9ops.core.db import Base, db
from k9ops.core.errors import Conflict
from k9ops.core.i18n import gettext as _


class Stale(Conflict):
    """Somebody changed the row after the form was opened."""

    code = "stale"


def digest_of(row: Base, names: Iterable[str]) -> str:
    """A short word for the values that these columns of the row have."""
    values = {name: _plain(getattr(row, name)) for name in names}
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _plain(value: Any) -> str | None:
    return None if value is None else str(value)


def hold(row: Base, names: Iterable[str]) -> None:
    """Read these columns anew; nobody else writes the row until the transaction ends.

    Raises:
        Conflict: the row is gone.
    """
    table: Any = type(row).__table__
    if db.session.get_bind().dialect.name == "sqlite":
        # It knows no FOR UPDATE: whoever begins to write, even nothing, keeps all others from it.
        db.session.execute(update(table).where(false()).values(id=table.c.id))
    try:
        db.session.refresh(row, list(names), with_for_update={"of": type(row)})
    except InvalidRequestError as error:
        db.session.rollback()
        raise Conflict(_("Something changed in the meantime. Look again.")) from error


def check_seen(row: Base, names: Iterable[str], seen: str | None) -> None:
    """Compare a row that is held with what a form showed of it; None is no form.

    Raises:
        Stale: the values are others by now; the transaction is undone.
    """
    if seen and seen != digest_of(row, names):
        db.session.rollback()
        hint = _("Look at what is kept now; if you save again, what you typed takes its place.")
        raise Stale(_("Somebody changed this in the meantime."), field="seen", hint=hint)
