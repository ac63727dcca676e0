"""What reports count and draw of attendance."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.schedules.models import ATTENDANCE_TITLES, Attendance, DutyItem

#: Of whoever stands in for another; the duty itself is `replaced`.
STOOD_IN = "stood_in"
SIGNS: dict[str, str] = {
    Attendance.PRESENT: "check",
    STOOD_IN: "plus",
    Attendance.REPLACED: "arrow-left-right",
    Attendance.ABSENT: "x",
    Attendance.PLANNED: "circle-dashed",
}
WORDS: dict[str, Any] = {str(key): text for key, text in ATTENDANCE_TITLES.items()}
WORDS[STOOD_IN] = _l("Stood in")


@dataclass(frozen=True)
class Tally:
    """How many duties there are of each attendance."""

    total: int
    present: int
    absent: int
    replaced: int
    #: Nobody has said yet whether they came.
    planned: int

    @classmethod
    def of(cls, items: Iterable[DutyItem]) -> Self:
        found = Counter(item.attendance for item in items)
        return cls(found.total(), *(found[one] for one in _COUNTED))

    def facts(self) -> list[tuple[str, str]]:
        """For the strip under the title."""
        return [
            (_("Present"), str(self.present)),
            (_("Replaced"), str(self.replaced)),
            (_("Absent"), str(self.absent)),
            (_("Not marked"), str(self.planned)),
        ]

    def in_words(self) -> str:
        """Who came, and what of the rest is known."""
        rest = [f"{word}: {n}" for word, n in self.facts()[1:] if n != "0"]
        came = _("%(n)s of %(all)s present", n=self.present, all=self.total)
        return f"{_(',')} ".join([came, *rest])


_COUNTED = (Attendance.PRESENT, Attendance.ABSENT, Attendance.REPLACED, Attendance.PLANNED)
