"""Documents that were made."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from k9ops.core.clock import db_now
from k9ops.core.db import Base, RunId
from k9ops.projects.models import Project


class Document(Base):
    """A file under DATA_DIR, made by a run; who may see its project may have it."""

    __tablename__ = "documents"
    __table_args__ = (
        Index("ix_documents_project_id_id", "project_id", "id"),
        Index("ix_documents_title_id", "title", "id"),
        Index("ix_documents_bytes_id", "bytes", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: One document for each run, however often it is executed. The ledger may be pruned before.
    run_id: Mapped[str] = mapped_column(RunId, unique=True)
    #: Key of the catalogue of reports, and the arguments it was made with.
    report: Mapped[str] = mapped_column(String(80))
    arguments: Mapped[dict[str, Any]] = mapped_column(default=dict)
    language: Mapped[str] = mapped_column(String(8))
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id", ondelete="RESTRICT"))
    #: Name for people, and the path within DATA_DIR.
    title: Mapped[str] = mapped_column(String(300))
    path: Mapped[str] = mapped_column(String(300))
    bytes: Mapped[int]
    pages: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    requested_by: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(default=db_now())

    project: Mapped[Project | None] = relationship()
