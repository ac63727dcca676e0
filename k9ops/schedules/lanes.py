"""A day of duty as people read it: a lane for each shift; and what its forms offer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import ngettext
from k9ops.core.settings import current_settings
from k9ops.kennel.models import Dog, Fitness
from k9ops.people.models import Person
from k9ops.schedules import words
from k9ops.schedules.conflicts import Faults, faults_of_day
from k9ops.schedules.models import Attendance, DutyItem, DutySchedule, Shift
from k9ops.schedules.queries import active_shifts, by_shift, span_of
from k9ops.web.formats import named
from k9ops.web.words import Word


@dataclass(frozen=True)
class ShownDuty:
    """A duty, and what is to be said of it."""

    item: DutyItem
    remarks: list[Word]
    #: Who came can be noted from its beginning on.
    has_begun: bool

    @property
    def in_conflict(self) -> bool:
        return bool(self.causes)

    @property
    def causes(self) -> list[str]:
        """Why it may not stand as it is planned."""
        return [str(remark.text) for remark in self.remarks if remark.family == "bad"]


@dataclass(frozen=True)
class Lane:
    """A shift of the day with its duties."""

    shift: Shift
    starts_at: datetime
    ends_at: datetime
    duties: list[ShownDuty]

    @property
    def key(self) -> str:
        """Names the lane on its page; a shift that was moved has several."""
        return f"shift-{self.shift.id}-{self.starts_at:%H%M}-{self.ends_at:%H%M}"

    @property
    def hours(self) -> str:
        return words.hours(self.starts_at, self.ends_at)

    @property
    def summary(self) -> str:
        """How many there are, or came, and how many are short."""
        states = [duty.item.attendance for duty in self.duties]
        total, short = len(states), states.count(Attendance.ABSENT)
        came = states.count(Attendance.PRESENT) + states.count(Attendance.REPLACED)
        if states and came + short == total:
            return _("%(n)s of %(total)s came", n=came, total=total)
        if short:
            return _(
                "%(n)s of %(total)s, %(short)s short", n=total - short, total=total, short=short
            )
        return ngettext("%(num)s planned", "%(num)s planned", total)

    @property
    def is_short(self) -> bool:
        return any(duty.item.attendance == Attendance.ABSENT for duty in self.duties)


def lanes_of(
    day: DutySchedule, items: Sequence[DutyItem], now: datetime, *, empty_ones: bool
) -> list[Lane]:
    """The shifts of the day in order of time, those without duty too if `empty_ones`.

    The times are those of the duties, whatever became of their shift.
    """
    faults = faults_of_day(day.id)
    lanes = []
    for found in by_shift(items):
        duties = [shown(item, now, faults.get(item.id, Faults())) for item in found]
        lanes.append(Lane(found[0].shift, found[0].starts_at, found[0].ends_at, duties))
    taken, zone = {item.shift_id for item in items}, current_settings().zone
    free = [one for one in active_shifts() if one.id not in taken] if empty_ones else []
    lanes += [Lane(shift, *span_of(shift, day.date, zone), []) for shift in free]
    return sorted(lanes, key=lambda lane: (lane.starts_at, lane.ends_at))


def shown(item: DutyItem, now: datetime, faults: Faults) -> ShownDuty:
    return ShownDuty(item, words.remarks(item, now, faults), item.starts_at <= now)


def in_conflict(lanes: Iterable[Lane]) -> list[ShownDuty]:
    """The duties shown that may not stand as they are planned."""
    return [duty for lane in lanes for duty in lane.duties if duty.in_conflict]


def by_id(rows: Sequence[Any], chosen: Any = None) -> dict[int, Any]:
    """The rows by their keys; `chosen` too, though it could not be chosen anew."""
    extra = [] if chosen is None else [chosen]
    return {row.id: row for row in (*extra, *rows)}


def names(rows: Sequence[Any], chosen: Any = None) -> dict[int, str]:
    """What a select offers of these rows, by their keys."""
    return {key: named(row) for key, row in by_id(rows, chosen).items()}


@dataclass(frozen=True)
class Offers:
    """Handlers and dogs for a duty; whoever has another one that day is marked with its shift."""

    #: The other duties of the day.
    others: list[DutyItem]

    def handlers(self, rows: Sequence[Person], chosen: Person | None = None) -> dict[int, str]:
        busy = [((one.replacement or one.handler).id, one.shift) for one in self.others]
        return {key: _marked(key, name, busy) for key, name in names(rows, chosen).items()}

    def dogs(self, rows: Sequence[Dog], chosen: Dog | None = None) -> dict[int, str]:
        busy = [(one.dog_id, one.shift) for one in self.others]
        return {key: _marked(key, _dog(dog), busy) for key, dog in by_id(rows, chosen).items()}


def offers_beside(items: Iterable[DutyItem], item: DutyItem | None) -> Offers:
    """What may be offered for `item`, or for a new one."""
    stand = (one for one in items if one.attendance != Attendance.ABSENT)
    return Offers([one for one in stand if item is None or one.id != item.id])


def _marked(key: int, text: str, busy: list[tuple[Any, Shift]]) -> str:
    shifts = dict.fromkeys(named(shift) for whom, shift in busy if whom == key)
    return f"{text} ({words.joined(shifts)})" if shifts else text


def _dog(dog: Dog) -> str:
    text = f"{named(dog)} · {dog.code}"
    if dog.fitness == Fitness.FIT:
        return text
    return f"{text} · {words.fitness(dog).text}"
