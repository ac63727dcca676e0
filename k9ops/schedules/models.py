"""Shifts, days of duty, and who stands where.

The database itself refuses double booking and every change of a locked day (migrations 0004 and
0005): an exclusion constraint and triggers on PostgreSQL, triggers on SQLite. A migration that
copies one of these tables on SQLite must make its triggers anew.
"""

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from k9ops.core.clock import db_now
from k9ops.core.db import Base, one_of
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.kennel.models import Dog
from k9ops.people.models import Person
from k9ops.projects.models import Place, Project


class DayState(StrEnum):
    OPEN = "open"
    LOCKED = "locked"


class Attendance(StrEnum):
    """What became of a planned duty; who is absent stands nowhere, so neither does their dog."""

    PLANNED = "planned"
    PRESENT = "present"
    ABSENT = "absent"
    REPLACED = "replaced"


ATTENDANCE_TITLES = {
    Attendance.PLANNED: _l("Planned"),
    Attendance.PRESENT: _l("Present"),
    Attendance.ABSENT: _l("Absent"),
    Attendance.REPLACED: _l("Replaced"),
}


class Shift(Base):
    """A part of the day; one that ends at or before its start ends on the next day."""

    __tablename__ = "shifts"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    name_en: Mapped[str] = mapped_column(String(120), default="")
    #: On the unit's clock.
    starts: Mapped[time]
    ends: Mapped[time]
    active: Mapped[bool] = mapped_column(default=True)


@dataclass(frozen=True)
class PlannedDay:
    """As much of a day as a list of many shows."""

    id: int
    state: str
    open_until: datetime | None

    def is_locked(self, now: datetime) -> bool:
        """Nothing of it can be changed: it is locked, or its opening has ended."""
        return self.state == DayState.LOCKED or self.has_ended(now)

    def has_ended(self, now: datetime) -> bool:
        """It was opened for a time, which is over."""
        return self.open_until is not None and self.open_until <= now


class DutySchedule(Base):
    """The duty of one project on one day of the unit's clock.

    A night shift belongs to the day on which it begins.
    """

    __tablename__ = "duty_schedules"
    __table_args__ = (
        one_of("state", tuple(DayState)),
        UniqueConstraint("project_id", "date"),
        Index("ix_duty_schedules_state_date", "state", "date"),
        Index("ix_duty_schedules_date", "date", "project_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="RESTRICT"))
    date: Mapped[date]
    state: Mapped[str] = mapped_column(String(16), default=DayState.OPEN)
    notes: Mapped[str] = mapped_column(Text, default="")
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=db_now())
    #: The last lock, and the opening after it, which the next lock forgets; the audit keeps all.
    locked_at: Mapped[datetime | None]
    locked_by: Mapped[str | None] = mapped_column(String(200))
    lock_reason: Mapped[str | None] = mapped_column(String(300))
    unlocked_by: Mapped[str | None] = mapped_column(String(200))
    unlock_reason: Mapped[str | None] = mapped_column(String(300))
    #: Opened again until then: the automatic lock leaves it alone before, nobody changes it after.
    open_until: Mapped[datetime | None]

    project: Mapped[Project] = relationship()
    items: Mapped[list["DutyItem"]] = relationship(
        back_populates="schedule", order_by="DutyItem.starts_at, DutyItem.id", passive_deletes=True
    )

    def is_locked(self, now: datetime) -> bool:
        """Nothing of it can be changed, as a `PlannedDay` knows it."""
        return self._standing.is_locked(now)

    def has_ended(self, now: datetime) -> bool:
        """Its opening has, as a `PlannedDay` knows it."""
        return self._standing.has_ended(now)

    @property
    def _standing(self) -> PlannedDay:
        return PlannedDay(self.id, self.state, self.open_until)


class DutyItem(Base):
    """One handler, perhaps with a dog, in one shift."""

    __tablename__ = "duty_schedule_items"
    __table_args__ = (
        one_of("attendance", tuple(Attendance)),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        CheckConstraint(
            "(attendance = 'replaced') = (replacement_id IS NOT NULL)", name="replaced_by_someone"
        ),
        Index("ix_duty_schedule_items_handler_id_starts_at", "handler_id", "starts_at"),
        Index("ix_duty_schedule_items_replacement_id_starts_at", "replacement_id", "starts_at"),
        Index("ix_duty_schedule_items_dog_id_starts_at", "dog_id", "starts_at"),
        Index("ix_duty_schedule_items_attendance_ends_at", "attendance", "ends_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    duty_schedule_id: Mapped[int] = mapped_column(
        ForeignKey("duty_schedules.id", ondelete="RESTRICT"), index=True
    )
    handler_id: Mapped[int] = mapped_column(ForeignKey("people.id", ondelete="RESTRICT"))
    dog_id: Mapped[int | None] = mapped_column(ForeignKey("dogs.id", ondelete="RESTRICT"))
    shift_id: Mapped[int] = mapped_column(ForeignKey("shifts.id", ondelete="RESTRICT"))
    place_id: Mapped[int | None] = mapped_column(ForeignKey("places.id", ondelete="RESTRICT"))
    #: Copied from the shift when it was planned, so that a later change of it moves no past duty.
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    attendance: Mapped[str] = mapped_column(String(16), default=Attendance.PLANNED)
    #: Who stood in for the handler.
    replacement_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="RESTRICT"))
    note: Mapped[str] = mapped_column(String(400), default="")

    schedule: Mapped[DutySchedule] = relationship(back_populates="items")
    handler: Mapped[Person] = relationship(foreign_keys=[handler_id])
    replacement: Mapped[Person | None] = relationship(foreign_keys=[replacement_id])
    dog: Mapped[Dog | None] = relationship()
    shift: Mapped[Shift] = relationship()
    place: Mapped[Place | None] = relationship()
