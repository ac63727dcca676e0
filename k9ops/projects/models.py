"""Projects, places, assignments."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from k9ops.core.clock import db_now
from k9ops.core.db import Base, one_of
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.kennel.models import Dog
from k9ops.people.models import Person


class ProjectStatus(StrEnum):
    PLANNED = "planned"
    ACTIVE = "active"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


STATUS_TITLES = {
    ProjectStatus.PLANNED: _l("Planned"),
    ProjectStatus.ACTIVE: _l("Active"),
    ProjectStatus.COMPLETED: _l("Completed"),
    ProjectStatus.CANCELLED: _l("Cancelled"),
}


class Project(Base):
    """Work for one client or site, with one manager."""

    __tablename__ = "projects"
    __table_args__ = (
        one_of("status", tuple(ProjectStatus)),
        CheckConstraint("ends_on >= starts_on", name="ends_after_start"),
        Index("ix_projects_status_name", "status", "name"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    #: Shown on English pages; the name itself where it is empty.
    name_en: Mapped[str] = mapped_column(String(200), default="")
    status: Mapped[str] = mapped_column(String(16), default=ProjectStatus.PLANNED)
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    notes: Mapped[str] = mapped_column(Text, default="")
    #: Who plans its days; sees this project and no other, unless an administrator.
    manager_id: Mapped[int | None] = mapped_column(
        ForeignKey("people.id", ondelete="RESTRICT"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=db_now())

    manager: Mapped[Person | None] = relationship()


class Place(Base):
    """Where people of a project stand: a gate, a hall, a patrol."""

    __tablename__ = "places"
    __table_args__ = (UniqueConstraint("project_id", "name"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="RESTRICT"))
    name: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200), default="")
    active: Mapped[bool] = mapped_column(default=True)


class Assignment(Base):
    """A person or a dog belongs to a project for a time; a new time is a new row."""

    __tablename__ = "project_assignments"
    __table_args__ = (
        CheckConstraint("(person_id IS NULL) <> (dog_id IS NULL)", name="person_or_dog"),
        CheckConstraint("to_on >= from_on", name="ends_after_start"),
        Index("ix_project_assignments_project_id_person_id", "project_id", "person_id"),
        Index("ix_project_assignments_project_id_dog_id", "project_id", "dog_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="RESTRICT"))
    person_id: Mapped[int | None] = mapped_column(
        ForeignKey("people.id", ondelete="RESTRICT"), index=True
    )
    dog_id: Mapped[int | None] = mapped_column(
        ForeignKey("dogs.id", ondelete="RESTRICT"), index=True
    )
    from_on: Mapped[date]
    #: The last day; None: until further notice.
    to_on: Mapped[date | None]

    project: Mapped[Project] = relationship()
    person: Mapped[Person | None] = relationship()
    dog: Mapped[Dog | None] = relationship()
