"""Shifts, the parts of the day for which duty is planned: reading and setting them up.

A duty has its own hours, copied from its shift when it was planned; so a change moves none of them.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import time
from typing import Any

from sqlalchemy import Select, func, select

from k9ops.audit.records import keep
from k9ops.audit.services import Actor
from k9ops.core.checks import Check, checked, line_of
from k9ops.core.db import db
from k9ops.core.errors import BadInput, NotFound
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.core.paging import NumberedPage, containing, numbered_page, whole
from k9ops.schedules.models import Shift


def _time_of_day(value: time | None) -> time:
    if value is None:
        raise BadInput(_("Choose a time."))
    return value


CHECKS: dict[str, Check] = {
    "name": line_of(Shift.name, required=True),
    "name_en": line_of(Shift.name_en),
    "starts": _time_of_day,
    "ends": _time_of_day,
}
_ORDER: Any = (Shift.starts, Shift.ends, Shift.id)
_TAKEN = {"name": _l("Another shift has this name, perhaps one that is retired.")}


@dataclass(frozen=True)
class ShiftValues:
    """What is kept of a shift; one that ends before its start ends on the next day."""

    name: str
    starts: time | None
    ends: time | None
    name_en: str = ""


@dataclass(frozen=True)
class ShiftFilter:
    """What to look for; what is empty does not count."""

    search: str = ""
    active: bool | None = None

    def query(self) -> Select[Shift]:
        found: Select[Shift] = select(Shift)
        if self.search:
            found = found.where(containing(self.search, Shift.name, Shift.name_en))
        return found if self.active is None else found.where(Shift.active == self.active)


def list_shifts(wanted: ShiftFilter, *, number: int = 1) -> NumberedPage[Shift]:
    """The shifts that match, in the order of the day."""
    return numbered_page(db.session(), wanted.query(), *_ORDER, number=number)


def all_shifts(wanted: ShiftFilter) -> Iterator[Shift]:
    """The same, all of them, for a file."""
    return whole(db.session(), wanted.query(), *_ORDER)


def count_active() -> int:
    """How many shifts are in use."""
    return db.session.scalar(select(func.count()).where(Shift.active)) or 0


def get_shift(shift_id: int) -> Shift:
    """Raise NotFound when there is none of that id."""
    shift = db.session.get(Shift, shift_id)
    if shift is None:
        raise NotFound(_("There is no such shift."))
    return shift


def add_shift(values: ShiftValues, *, actor: Actor) -> Shift:
    """Set up a shift.

    Raises:
        BadInput: a field is wrong; it is named.
        Conflict: another shift has the name, also when two add it at once.
    """
    return _keep(Shift(active=True), values, actor)


def change_shift(
    shift_id: int, values: ShiftValues, *, actor: Actor, seen: str | None = None
) -> Shift:
    """Change a shift for what is planned from now on.

    Raises as `add_shift` does, and NotFound, Stale.
    """
    return _keep(get_shift(shift_id), values, actor, seen)


def retire_shift(shift_id: int, *, actor: Actor) -> Shift:
    """Plan nobody for it any more; what was planned stays. Raises NotFound."""
    return _use(get_shift(shift_id), False, actor)


def reinstate_shift(shift_id: int, *, actor: Actor) -> Shift:
    """Plan people for it again. Raises NotFound."""
    return _use(get_shift(shift_id), True, actor)


def _use(shift: Shift, active: bool, actor: Actor) -> Shift:
    keep(shift, {"active": active}, actor=actor, kind="shift", name=shift.name, taken={})
    return shift


def _keep(shift: Shift, values: ShiftValues, actor: Actor, seen: str | None = None) -> Shift:
    values = checked(values, CHECKS)
    if values.starts == values.ends:
        raise BadInput(_("A shift cannot end at the time at which it begins."), field="ends")
    kept = asdict(values)
    keep(shift, kept, actor=actor, kind="shift", name=values.name, taken=_TAKEN, seen=seen)
    return shift
