"""Reading the audit log for people: by person, action, thing, time and words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, select

from k9ops.accounts.models import User
from k9ops.audit.models import AuditEntry
from k9ops.audit.queries import AuditFilter
from k9ops.core.db import db
from k9ops.core.paging import containing

#: A search by words reads so many entries, the newest up to the end of the asked time.
SEARCHED = 20_000
#: Entries that were written at the same time may have their ids in another order than their times.
_MARGIN = 1_000
_MOST_ACTORS = 300


@dataclass(frozen=True)
class Wanted:
    """What to look for: the filter of the trail, and words in the names of who and what."""

    filter: AuditFilter
    search: str = ""

    def query(self) -> Select[AuditEntry]:
        """The entries that match; those of a time are found by the ids that it had."""
        query = self.filter.apply(select(AuditEntry)).where(*self._span())
        if self.search:
            columns = AuditEntry.target_name, AuditEntry.target_id, AuditEntry.actor_name
            query = query.where(containing(self.search, *columns), self._searched())
        return query

    def _span(self) -> list[ColumnElement[bool]]:
        """Bounds of the key, so that a page of a time long ago is found as fast as the newest."""
        bounds = []
        if self.filter.since is not None:
            first = _first_since(self.filter.since)
            bounds.append(AuditEntry.id > (_newest() if first is None else first - _MARGIN))
        if self.filter.until is not None:
            after = _first_since(self.filter.until)
            if after is not None:
                bounds.append(AuditEntry.id < after + _MARGIN)
        return bounds

    def _searched(self) -> ColumnElement[bool]:
        end = _first_since(self.filter.until) if self.filter.until is not None else None
        return AuditEntry.id > (_newest() if end is None else end) - SEARCHED


def _first_since(instant: datetime) -> int | None:
    """The id of the first entry of that time or later."""
    query = select(AuditEntry.id).where(AuditEntry.at >= instant).order_by(AuditEntry.at)
    return db.session.scalar(query.limit(1))


def _newest() -> int:
    return db.session.scalar(select(func.max(AuditEntry.id))) or 0


def actors() -> dict[str, Any]:
    """The accounts that stand in the trail as those who acted, by name."""
    acted = exists().where(AuditEntry.actor_id == User.id)
    query = select(User).where(acted).order_by(User.full_name, User.username)
    found = db.session.scalars(query.limit(_MOST_ACTORS))
    return {str(user.id): user.display_name for user in found}
