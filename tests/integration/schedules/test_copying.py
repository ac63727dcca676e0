"""Copying a day of duty: one transaction, few statements, and a reason for what is left out."""

from datetime import timedelta

from k9ops.audit.services import COMMAND_LINE
from k9ops.core.db import db
from k9ops.people.models import Person
from k9ops.projects.models import Assignment
from k9ops.projects.scope import EVERYTHING
from k9ops.schedules.queries import items_of
from k9ops.schedules.services import NewItem, copy_day
from tests.support.statements import counted
from tests.support.unit import LONG_AGO, plan, today

DAY = timedelta(days=1)


def add_handlers(project, number):
    people = [Person(number=f"N-{n}", name=f"معالج {n}", work="handler") for n in range(number)]
    db.session.add_all(people)
    db.session.flush()
    rows = [Assignment(project_id=project, person_id=p.id, from_on=LONG_AGO) for p in people]
    db.session.add_all(rows)
    db.session.commit()
    return [row.person_id for row in rows]


def test_copy_asks_little_of_the_database(unit, context):
    handlers = add_handlers(unit.harbour, 20)
    shifts = (unit.morning, unit.evening, unit.night)
    items = [NewItem(h, s, place_id=unit.gate) for h in handlers for s in shifts]
    day = plan(unit, today(), *items)
    db.session.rollback()
    with counted(context) as seen:
        done = copy_day(EVERYTHING, day, today() + DAY, actor=COMMAND_LINE)
    print(len(seen))
    assert done.copied == len(items)
    assert len(items_of(EVERYTHING, done.day.id)) == len(items)
    assert len(seen) <= 4 * len(items) + 20
