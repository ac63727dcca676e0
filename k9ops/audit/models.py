"""The audit trail: who did what to which thing, and from where."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from k9ops.core.db import Base


class AuditEntry(Base):
    """One act, written in the transaction of the act itself; never changed afterwards."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_action_id", "action", "id"),
        Index("ix_audit_entries_actor_id_id", "actor_id", "id"),
        Index("ix_audit_entries_target", "target_kind", "target_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    #: No foreign key: the trail outlives its people, and a restore may bring back older ones.
    actor_id: Mapped[int | None]
    actor_name: Mapped[str] = mapped_column(String(200))
    #: `thing.verb`, for example `run.cancelled`.
    action: Mapped[str] = mapped_column(String(80))
    target_kind: Mapped[str] = mapped_column(String(80))
    #: Text, because targets are numbered, named and run ids alike.
    target_id: Mapped[str] = mapped_column(String(300))
    target_name: Mapped[str] = mapped_column(String(300))
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    ip: Mapped[str | None] = mapped_column(String(45))
