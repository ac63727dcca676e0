"""Duties whose handler or dog may no longer stand there: what the pages say of them."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from k9ops.core.db import db
from k9ops.kennel.models import Dog
from k9ops.people.models import Person
from k9ops.projects.models import Assignment
from k9ops.schedules.services import NewItem
from tests.support.pages import words_of
from tests.support.unit import note_change, plan, today

DAY = timedelta(days=1)
OVER = {"to_on": today()}


@pytest.fixture
def tomorrow(unit, inside):
    """Badr with Rex in the morning, Dalia with Luna in the evening."""
    badr, dalia = NewItem(unit.badr, unit.morning, unit.rex), NewItem(unit.dalia, unit.evening)
    return inside(plan, unit, today() + DAY, badr, dalia)


@pytest.fixture
def change(inside):
    """`change(Dog.id == 3, status="retired")`: by SQL, noted in the trail."""

    def do(which, **values):
        db.session.execute(update(which.left.table).where(which).values(**values))
        note_change()
        db.session.commit()

    return lambda which, **values: inside(do, which, **values)


@pytest.mark.parametrize(
    ("column", "whom", "values", "remark", "title"),
    [
        (Person.id, "badr", {"active": False}, "Badr Salem left the unit",
         "Badr Salem is planned and left the unit"),
        (Person.id, "badr", {"work": "trainer"}, "Badr Salem is no longer a handler",
         "Badr Salem is planned and no longer a handler"),
        (Assignment.person_id, "badr", OVER, "Badr Salem is not assigned to the project",
         "Badr Salem is planned and not assigned to the project"),
        (Dog.id, "rex", {"status": "training"}, "Rex is not fit for duty",
         "Rex is planned and not fit for duty"),
        (Assignment.dog_id, "rex", OVER, "Rex is not assigned to the project",
         "Rex is planned and not assigned to the project"),
    ],
)  # fmt: skip
def test_conflict_is_told_with_its_cause(
    unit, tomorrow, as_caline, change, column, whom, values, remark, title
):
    assert "planned and" not in words_of(as_caline.get("/?lang=en"))
    change(column == getattr(unit, whom), **values)
    page = words_of(as_caline.get(f"/schedules/{tomorrow}?lang=en"))
    assert "One duty cannot stand as it is planned" in page
    assert page.count(remark) == 2, "in the banner and at the duty"
    assert "One conflict" in words_of(as_caline.get(f"/schedules?day={today() + DAY}"))
    assert title in words_of(as_caline.get("/"))


def test_handler_reads_only_of_conflicts_of_their_own(unit, tomorrow, as_badr, as_caline, change):
    change(Assignment.person_id == unit.dalia, **OVER)
    assert "cannot stand" not in words_of(as_badr.get(f"/schedules/{tomorrow}?lang=en"))
    change(Assignment.person_id == unit.badr, **OVER)
    path = f"/schedules/{tomorrow}?lang=en"
    assert "One duty cannot stand as it is planned" in words_of(as_badr.get(path))
    assert "2 duties cannot stand as they are planned" in words_of(as_caline.get(path))
