"""Dogs."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from k9ops.core.clock import db_now
from k9ops.core.db import Base, one_of
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.people.models import Person


class Sex(StrEnum):
    MALE = "male"
    FEMALE = "female"


class Specialty(StrEnum):
    """What a dog is trained to do."""

    EXPLOSIVES = "explosives"
    NARCOTICS = "narcotics"
    WEAPONS = "weapons"
    PATROL = "patrol"
    SEARCH = "search"


class DogStatus(StrEnum):
    ACTIVE = "active"
    TRAINING = "training"
    RETIRED = "retired"
    DECEASED = "deceased"


class Fitness(StrEnum):
    """What a veterinarian lets the dog do; an unfit dog is not planned."""

    FIT = "fit"
    LIGHT = "light"
    UNFIT = "unfit"


SEX_TITLES = {Sex.MALE: _l("Male"), Sex.FEMALE: _l("Female")}
SPECIALTY_TITLES = {
    Specialty.EXPLOSIVES: _l("Explosives"),
    Specialty.NARCOTICS: _l("Narcotics"),
    Specialty.WEAPONS: _l("Weapons"),
    Specialty.PATROL: _l("Patrol"),
    Specialty.SEARCH: _l("Search and rescue"),
}
STATUS_TITLES = {
    DogStatus.ACTIVE: _l("On duty"),
    DogStatus.TRAINING: _l("In training"),
    DogStatus.RETIRED: _l("Retired"),
    DogStatus.DECEASED: _l("Deceased"),
}


class Dog(Base):
    """A dog of the unit; never deleted."""

    __tablename__ = "dogs"
    __table_args__ = (
        one_of("sex", tuple(Sex)),
        one_of("specialty", tuple(Specialty)),
        one_of("status", tuple(DogStatus)),
        one_of("fitness", tuple(Fitness)),
        CheckConstraint("weight_kg > 0", name="weight_kg_positive"),
        Index("ix_dogs_status_name", "status", "name"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: The unit's own code of the dog, such as K9-017.
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    #: Shown on English pages; the name itself where it is empty.
    name_en: Mapped[str] = mapped_column(String(120), default="")
    breed: Mapped[str] = mapped_column(String(120), default="")
    sex: Mapped[str] = mapped_column(String(16))
    born_on: Mapped[date | None]
    microchip: Mapped[str | None] = mapped_column(String(32), unique=True)
    specialty: Mapped[str] = mapped_column(String(32), index=True)
    status: Mapped[str] = mapped_column(String(16), default=DogStatus.ACTIVE)
    fitness: Mapped[str] = mapped_column(String(16), default=Fitness.FIT)
    weight_kg: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    notes: Mapped[str] = mapped_column(Text, default="")
    #: Who works with the dog as a rule.
    handler_id: Mapped[int | None] = mapped_column(
        ForeignKey("people.id", ondelete="RESTRICT"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=db_now())

    handler: Mapped[Person | None] = relationship()
