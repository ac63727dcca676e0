"""How the duties of a day stand: counted by the database, and of duties that were read already."""

from datetime import UTC, datetime, timedelta

from k9ops.audit.services import COMMAND_LINE
from k9ops.projects.scope import EVERYTHING
from k9ops.schedules import weeks
from k9ops.schedules.models import Attendance
from k9ops.schedules.queries import items_of
from k9ops.schedules.services import NewItem, mark_attendance
from tests.support.unit import plan, today


def test_both_ways_of_counting_agree(unit):
    handlers, shifts = (unit.badr, unit.dalia), (unit.morning, unit.evening, unit.night)
    duties = [NewItem(handler, shift) for handler in handlers for shift in shifts]
    day = plan(unit, today() - timedelta(days=2), *duties)
    marks = {0: Attendance.PRESENT, 1: Attendance.ABSENT, 2: Attendance.PRESENT}
    items = items_of(EVERYTHING, day)
    for place, attendance in marks.items():
        mark_attendance(EVERYTHING, items[place].id, attendance, actor=COMMAND_LINE)
    mark_attendance(
        EVERYTHING, items[3].id, Attendance.REPLACED, replacement_id=unit.essam, actor=COMMAND_LINE
    )
    counted = weeks.counts_of_day(day)
    assert weeks.tally(items_of(EVERYTHING, day), datetime.now(UTC)) == counted
    assert counted == weeks.Counts(planned=6, present=3, absent=1, unmarked=2)


def test_duties_to_come_are_not_unmarked(unit):
    day = plan(unit, today() + timedelta(days=2), NewItem(unit.badr, unit.morning))
    counted = weeks.counts_of_day(day)
    assert weeks.tally(items_of(EVERYTHING, day), datetime.now(UTC)) == counted
    assert counted == weeks.Counts(planned=1)
