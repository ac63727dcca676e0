"""The attendance sheet of a month as a document, read back from the PDF in both languages."""

from datetime import date

import pytest

from k9ops.audit.services import COMMAND_LINE
from k9ops.core.db import db
from k9ops.projects.scope import EVERYTHING
from k9ops.schedules.models import Attendance, DutyItem
from k9ops.schedules.services import NewItem, mark_attendance
from tests.support import pdf
from tests.support.unit import plan

#: Attendance of Badr on the first days of the month; Dalia stands in on the fourth.
DAYS = (Attendance.PRESENT, Attendance.PRESENT, Attendance.ABSENT, Attendance.REPLACED)


@pytest.fixture
def month(unit):
    for number, attendance in enumerate(DAYS, 1):
        day = plan(unit, date(2026, 11, number), NewItem(unit.badr, unit.morning))
        item = db.session.query(DutyItem).filter_by(duty_schedule_id=day).one()
        stands_in = unit.dalia if attendance is Attendance.REPLACED else None
        mark_attendance(
            EVERYTHING, item.id, attendance, actor=COMMAND_LINE, replacement_id=stands_in
        )
    plan(unit, date(2026, 11, 30), NewItem(unit.badr, unit.night))
    # Not of this month.
    plan(unit, date(2026, 12, 1), NewItem(unit.badr, unit.morning))


def numbers_beside(page, name):
    """The totals in the row of that name."""
    return [word for word in page.line_of(page.find(name)) if word.isdecimal()]


def test_totals_are_those_of_the_month(made, month):
    (page,) = pdf.read(made("monthly_attendance", "en", project="HRB", month="2026-11"))
    # Present, stood in, replaced, absent, still planned.
    assert numbers_beside(page, "Badr") == ["2", "0", "1", "1", "1"]
    assert numbers_beside(page, "Dalia") == ["0", "1", "0", "0", "0"]


def test_sheet_lies_across_and_begins_at_the_right_in_arabic(made, month):
    (page,) = pdf.read(made("monthly_attendance", "ar", project="HRB", month="2026-11"))
    assert page.width > page.height
    days = [page.find(str(number)) for number in (7, 8, 9, 28, 29)]
    assert [day.left for day in days] == sorted((day.left for day in days), reverse=True)
    assert page.find("بدر").left > days[0].left
    assert numbers_beside(page, "بدر") == ["1", "1", "1", "0", "2"]


@pytest.mark.parametrize(("month_of", "last"), [("2024-02", "29"), ("2026-02", "28")])
def test_sheet_has_the_days_of_the_month(made, unit, month_of, last):
    year, number = map(int, month_of.split("-"))
    plan(unit, date(year, number, 1), NewItem(unit.badr, unit.morning))
    (page,) = pdf.read(made("monthly_attendance", "en", project="HRB", month=month_of))
    days = page.line_of(page.find("26"))
    assert [word for word in days if word.isdecimal()][-1] == last


def test_month_without_duty_is_a_page_that_says_so(made, unit):
    (page,) = pdf.read(made("monthly_attendance", "en", project="AIR", month="2026-11"))
    assert "No duty is planned in this month." in page.text()
