"""The duty of a dog and of a person on their own pages."""

from datetime import timedelta

import pytest

from k9ops.audit.services import COMMAND_LINE
from k9ops.core.db import db
from k9ops.projects.models import Assignment
from k9ops.projects.scope import EVERYTHING
from k9ops.schedules.models import Attendance
from k9ops.schedules.queries import items_of
from k9ops.schedules.services import NewItem, mark_attendance
from tests.support.pages import words_of
from tests.support.statements import counted
from tests.support.unit import LONG_AGO, plan, today

DAY = timedelta(days=1)


@pytest.fixture
def week(unit, inside):
    """Badr with Rex two days ago and tomorrow, and Farid with Barq at the airport."""
    badr, farid = (
        NewItem(unit.badr, unit.morning, unit.rex),
        NewItem(unit.farid, unit.night, unit.far),
    )
    return {
        "past": inside(plan, unit, today() - 2 * DAY, badr),
        "coming": inside(plan, unit, today() + DAY, badr),
        "airport": inside(plan, unit, today() + DAY, farid, project=unit.airport),
    }


@pytest.mark.parametrize("page", ["/dogs/{unit.rex}", "/people/{unit.badr}"])
def test_page_tells_what_comes_and_what_was(unit, week, as_caline, page):
    answer = as_caline.get(page.format(unit=unit), query_string={"lang": "en"})
    before, after = words_of(answer).split("Past duty", 1)
    assert "Coming duty" in before
    assert "Tomorrow" in before
    assert "Tomorrow" not in after
    assert [answer.text.index(f"/schedules/{week[day]}#") for day in ("coming", "past")]


def lend(person, project):
    """Assign them to another project too."""
    db.session.add(Assignment(project_id=project, person_id=person, from_on=LONG_AGO))
    db.session.commit()


def test_manager_reads_of_duty_at_their_own_projects_only(unit, week, inside, as_caline, as_amal):
    inside(lend, unit.badr, unit.airport)
    elsewhere = NewItem(unit.badr, unit.night)
    day = inside(plan, unit, today() + 3 * DAY, elsewhere, project=unit.airport)
    path = f"/people/{unit.badr}"
    assert f"/schedules/{day}#" in as_amal.get(path).text
    assert f"/schedules/{day}#" not in as_caline.get(path).text


def test_person_reads_where_they_stood_in(unit, week, inside, as_caline):
    done = {"replacement_id": unit.dalia, "actor": COMMAND_LINE}
    item = inside(items_of, EVERYTHING, week["past"])[0].id
    inside(mark_attendance, EVERYTHING, item, Attendance.REPLACED, **done)
    assert "Stood in" in words_of(as_caline.get(f"/people/{unit.dalia}?lang=en"))


def test_long_lists_come_in_pages(app, unit, inside, as_caline):
    for back in range(2, 12):
        inside(plan, unit, today() - back * DAY, NewItem(unit.badr, unit.morning, unit.rex))
    path = f"/dogs/{unit.rex}?lang=en"
    assert "1–8 of 10" in words_of(as_caline.get(path))
    with counted(app) as statements:
        assert "9–10 of 10" in words_of(as_caline.get(f"{path}&past=2"))
    assert len(statements) <= 15


def test_without_any_the_page_says_so(unit, as_caline):
    assert "No duty has been planned yet" in words_of(as_caline.get(f"/dogs/{unit.luna}?lang=en"))
