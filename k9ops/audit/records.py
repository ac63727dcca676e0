"""Keeping a row that people edit: audited, and a taken key told by its name."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from k9ops.audit.services import Actor, Target, record
from k9ops.core.db import Base, db
from k9ops.core.errors import Conflict
from k9ops.core.i18n import gettext as _
from k9ops.core.seen import write


def keep(
    row: Base,
    values: Mapping[str, Any],
    *,
    actor: Actor,
    kind: str,
    name: str,
    taken: Mapping[str, Any],
    seen: str | None = None,
) -> None:
    """Write `values` into a new or a kept row and commit, as `kind.added` or `kind.changed`.

    `taken` says for each unique column what to tell when another row has the value. The audit
    holds every changed value as [before, after]. `seen` is the digest of a form that showed these
    columns; what the row has already is never refused.

    Raises:
        Conflict: a unique value is taken, also by somebody who was faster; the field is named.
        Stale: the row changed since it was `seen`.
    """
    own_id = row.id  # type: ignore[attr-defined]
    changes = write(row, values, seen)
    if own_id is not None and not changes:
        db.session.commit()
        return
    db.session.add(row)
    try:
        db.session.flush()
    except IntegrityError as error:
        db.session.rollback()
        raise _explained(type(row), own_id, values, taken) from error
    action = f"{kind}.{'added' if own_id is None else 'changed'}"
    told = {column: [_plain(old), _plain(new)] for column, (old, new) in changes.items()}
    record(db.session(), actor, action, Target(kind, row.id, name), told)  # type: ignore[attr-defined]
    db.session.commit()


def _plain(value: Any) -> Any:
    """The value as JSON takes it."""
    return value if value is None or isinstance(value, bool | int) else str(value)


def _explained(
    table: Any, own_id: int | None, values: Mapping[str, Any], taken: Mapping[str, Any]
) -> Conflict:
    for name, words in taken.items():
        same = select(table.id).where(getattr(table, name) == values[name], table.id != own_id)
        if values[name] is not None and db.session.scalar(same.limit(1)) is not None:
            return Conflict(str(words), field=name)
    return Conflict(_("Something changed in the meantime. Look again."))
