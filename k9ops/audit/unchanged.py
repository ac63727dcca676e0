"""Answers that are kept as long as nobody changed anything."""

import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from flask import current_app
from sqlalchemy import func, select

from k9ops.audit.models import AuditEntry
from k9ops.core.db import db
from k9ops.core.once import once_a_page
from k9ops.core.prepared_statements import KeptQuery

V = TypeVar("V")

#: What time alone changes is seen so late, and so is the first of two changes that commit in the
#: other order than they began.
_SECONDS = 3.0
_KEPT_AT_MOST = 64
_EXTENSION = "k9ops.unchanged"
_NEWEST = KeptQuery(lambda: select(func.max(AuditEntry.id)))


def unless_changed(key: Hashable, load: Callable[[], V]) -> V:
    """What `load` gave a moment ago, if the audit trail has nothing newer; else what it gives.

    For what takes long to find and few change: every change of the unit's data stands in the
    trail from its own commit on. `load` gives rows or values, no objects of the session.
    """
    kept: dict[Hashable, tuple[Any, float, V]] = current_app.extensions.setdefault(_EXTENSION, {})
    stamp = once_a_page(_EXTENSION, lambda: _NEWEST.scalar(db.session()))
    found, now = kept.get(key), time.monotonic()
    if found is not None and found[0] == stamp and now < found[1]:
        return found[2]
    value = load()
    if len(kept) >= _KEPT_AT_MOST:
        kept.clear()
    kept[key] = (stamp, now + _SECONDS, value)
    return value
