"""What fits a day of duty: its handlers, dogs, places and shifts, each read once when needed."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sqlalchemy import ColumnElement, exists, select

from k9ops.core.db import db
from k9ops.core.errors import BadInput
from k9ops.core.i18n import gettext as _
from k9ops.core.settings import current_settings
from k9ops.kennel.models import Dog
from k9ops.people.models import Person
from k9ops.projects.queries import dogs_on, handlers_on, is_fit, is_handler, places_of
from k9ops.schedules.models import DutySchedule, Shift
from k9ops.schedules.queries import active_shifts, span_of


@dataclass(frozen=True)
class Fitting:
    """Tells for one day whether a choice fits it; each refusal is BadInput and names its field."""

    day: DutySchedule

    @cached_property
    def handlers(self) -> set[int]:
        return {one.id for one in handlers_on(self.day.project_id, self.day.date)}

    @cached_property
    def dogs(self) -> set[int]:
        return {one.id for one in dogs_on(self.day.project_id, self.day.date)}

    @cached_property
    def places(self) -> set[int]:
        return {one.id for one in places_of(self.day.project_id)}

    @cached_property
    def shifts(self) -> dict[int, Shift]:
        return {one.id: one for one in active_shifts()}

    def check_handler(self, person_id: int, field: str) -> None:
        if person_id in self.handlers:
            return
        if not _is_true(exists().where(Person.id == person_id, is_handler())):
            raise BadInput(_("Choose a handler."), field=field)
        hint = _("Assign them to the project first.")
        raise BadInput(_("This handler is not assigned to the project."), field=field, hint=hint)

    def check_dog(self, dog_id: int) -> None:
        if dog_id in self.dogs:
            return
        if _is_true(exists().where(Dog.id == dog_id, ~is_fit())):
            hint = _("Choose another dog.")
            raise BadInput(_("This dog is not fit for duty."), field="dog_id", hint=hint)
        if db.session.get(Dog, dog_id) is None:
            raise BadInput(_("Choose a dog."), field="dog_id")
        hint = _("Assign it to the project first.")
        raise BadInput(_("This dog is not assigned to the project."), field="dog_id", hint=hint)

    def check_place(self, place_id: int) -> None:
        if place_id not in self.places:
            raise BadInput(_("Choose a place of this project."), field="place_id")

    def times(self, shift_id: int) -> tuple[datetime, datetime]:
        """When the shift begins and ends on that day."""
        shift = self.shifts.get(shift_id)
        if shift is None:
            raise BadInput(_("Choose a shift."), field="shift_id")
        return span_of(shift, self.day.date, current_settings().zone)


def _is_true(condition: ColumnElement[bool]) -> bool:
    return bool(db.session.scalar(select(condition)))
