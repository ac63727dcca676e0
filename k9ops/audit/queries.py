"""Reading the audit trail."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from k9ops.audit.models import AuditEntry
from k9ops.core.paging import Page, keyset_page


@dataclass(frozen=True)
class AuditFilter:
    """What to look for; what is None does not count. `until` is exclusive."""

    action: str | None = None
    actor_id: int | None = None
    target_kind: str | None = None
    target_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def apply(self, query: Select[AuditEntry]) -> Select[AuditEntry]:
        for name in ("action", "actor_id", "target_kind", "target_id"):
            wanted = getattr(self, name)
            if wanted is not None:
                query = query.where(getattr(AuditEntry, name) == wanted)
        if self.since is not None:
            query = query.where(AuditEntry.at >= self.since)
        if self.until is not None:
            query = query.where(AuditEntry.at < self.until)
        return query


def list_entries(
    session: Session,
    wanted: AuditFilter,
    *,
    limit: int = 50,
    before: int | None = None,
    after: int | None = None,
) -> Page[AuditEntry]:
    """Entries that match, newest first, one page by key."""
    query = wanted.apply(select(AuditEntry))
    return keyset_page(session, query, AuditEntry.id, limit=limit, before=before, after=after)
