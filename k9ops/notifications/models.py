"""What the product tells a person."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from k9ops.core.clock import db_now
from k9ops.core.db import Base

_UNREAD = text("read_at IS NULL")


class Notification(Base):
    """One message to one person; its words are made when it is read, in the reader's language."""

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("user_id", "dedupe_key"),
        Index("ix_notifications_user_id_id", "user_id", "id"),
        Index("ix_notifications_user_id_kind_id", "user_id", "kind", "id"),
        # The bell counts these on each page, and home shows the newest.
        Index(
            "ix_notifications_unread",
            "user_id",
            "id",
            postgresql_where=_UNREAD,
            sqlite_where=_UNREAD,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    #: A word of `k9ops.notifications.kinds`.
    kind: Mapped[str] = mapped_column(String(80))
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    #: The page it leads to, within this site; empty when it leads nowhere.
    url: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime] = mapped_column(default=db_now())
    read_at: Mapped[datetime | None]
    #: The same event reaches a person once.
    dedupe_key: Mapped[str | None] = mapped_column(String(300))
