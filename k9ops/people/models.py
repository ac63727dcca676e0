"""People of the unit."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from k9ops.core.clock import db_now
from k9ops.core.db import Base, one_of
from k9ops.core.i18n import lazy_gettext as _l


class Work(StrEnum):
    """What a person does in the unit; what they may do here is the role of their account."""

    HANDLER = "handler"
    TRAINER = "trainer"
    VETERINARIAN = "veterinarian"
    BREEDER = "breeder"
    MANAGER = "project_manager"
    OFFICE = "office"


WORK_TITLES = {
    Work.HANDLER: _l("Handler"),
    Work.TRAINER: _l("Trainer"),
    Work.VETERINARIAN: _l("Veterinarian"),
    Work.BREEDER: _l("Breeder"),
    Work.MANAGER: _l("Project manager"),
    Work.OFFICE: _l("Office"),
}


class Person(Base):
    """Someone of the unit; never deleted, only made inactive."""

    __tablename__ = "people"
    __table_args__ = (
        one_of("work", tuple(Work)),
        Index("ix_people_active_name", "active", "name"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: The unit's own number for the person.
    number: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    #: Shown on English pages; the name itself where it is empty.
    name_en: Mapped[str] = mapped_column(String(200), default="")
    work: Mapped[str] = mapped_column(String(32), index=True)
    phone: Mapped[str] = mapped_column(String(40), default="")
    hired_on: Mapped[date | None]
    active: Mapped[bool] = mapped_column(default=True)
    #: The account with which the person signs in.
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), unique=True
    )
    created_at: Mapped[datetime] = mapped_column(default=db_now())
