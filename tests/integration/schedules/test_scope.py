"""Who sees and plans which days: an administrator all, a manager theirs, a handler their own."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from k9ops.accounts.models import User
from k9ops.audit.services import COMMAND_LINE
from k9ops.core.checks import unit_today
from k9ops.core.db import db
from k9ops.core.errors import Forbidden, NotFound
from k9ops.projects.scope import (
    EVERYTHING,
    Viewer,
    get_visible_project,
    of_visible_projects,
    viewer_of,
    visible_projects,
)
from k9ops.schedules.locking import lock_day, open_day
from k9ops.schedules.models import Attendance
from k9ops.schedules.queries import get_visible_day, items_of, visible_days
from k9ops.schedules.services import (
    NewItem,
    copy_day,
    mark_attendance,
    plan_day,
    remove_item,
)
from tests.support.unit import DUTY_CHANGES, change_duty, plan, today


@pytest.fixture
def days(unit):
    """Ids of the harbour's day with Badr, of its day without him, and of the airport's."""
    mine = plan(unit, today(), NewItem(unit.badr, unit.morning), NewItem(unit.dalia, unit.evening))
    other = plan(unit, today() - timedelta(days=1), NewItem(unit.dalia, unit.morning))
    far = plan(unit, today(), NewItem(unit.farid, unit.morning), project=unit.airport)
    return mine, other, far


def ids(query):
    return {row.id for row in db.session.scalars(query)}


def item_of(day_id):
    return items_of(EVERYTHING, day_id)[0].id


def test_viewer_is_what_the_role_and_the_person_make_of_the_account(unit):
    seen = {user.username: viewer_of(user) for user in db.session.scalars(select(User))}
    assert seen == {
        "amal": Viewer(None, sees_all=True, plans=True),
        "caline": unit.manager,
        "badr": unit.handler,
    }


def test_administrator_sees_every_day_manager_theirs_and_handler_their_own(unit, days):
    mine, other, far = days
    assert ids(visible_days(EVERYTHING)) == {mine, other, far}
    assert ids(visible_days(unit.manager)) == {mine, other}
    assert ids(visible_days(unit.handler)) == {mine}
    assert ids(visible_days(Viewer(None))) == set()
    assert ids(visible_days(Viewer(None, plans=True))) == set()


def test_project_is_seen_by_its_manager_alone(unit):
    assert ids(visible_projects(EVERYTHING)) == {unit.harbour, unit.airport}
    assert ids(visible_projects(unit.manager)) == {unit.harbour}
    assert ids(visible_projects(unit.handler)) == set()
    assert get_visible_project(unit.manager, unit.harbour).code == "HRB"
    with pytest.raises(NotFound):
        get_visible_project(unit.manager, unit.airport)


def test_assignments_are_those_of_the_visible_projects(unit):
    found = db.session.scalars(of_visible_projects(unit.manager)).all()
    assert {one.project_id for one in found} == {unit.harbour}
    assert db.session.scalars(of_visible_projects(unit.handler)).all() == []


def test_handler_sees_only_their_own_duty_of_a_day(unit, days):
    mine, _, _ = days
    assert [item.handler_id for item in items_of(unit.handler, mine)] == [unit.badr]
    assert len(items_of(unit.manager, mine)) == 2
    assert items_of(Viewer(None), mine) == []


def test_stand_in_sees_the_day_and_the_one_replaced_still_does(unit, days):
    mine, other, _ = days
    mark_attendance(
        EVERYTHING, item_of(other), Attendance.REPLACED, replacement_id=unit.badr,
        actor=COMMAND_LINE,
    )  # fmt: skip
    assert ids(visible_days(unit.handler)) == {mine, other}
    assert ids(visible_days(Viewer(unit.dalia))) == {mine, other}


def write(what, unit, who, day):
    if what == "lock":
        lock_day(who, day, "Counted", actor=COMMAND_LINE)
    elif what == "copy":
        copy_day(who, day, today() + timedelta(days=5), actor=COMMAND_LINE)
    else:
        change_duty(what, who, day, item_of(day), NewItem(unit.essam, unit.night))


WRITES = (*DUTY_CHANGES, "lock", "copy")


@pytest.mark.parametrize("what", WRITES)
def test_manager_of_another_project_finds_nothing_to_change(unit, days, what):
    _, _, far = days
    with pytest.raises(NotFound):
        write(what, unit, unit.manager, far)


@pytest.mark.parametrize("what", WRITES)
def test_handler_changes_nothing_of_the_day_in_which_they_stand(unit, days, what):
    mine, _, _ = days
    with pytest.raises(NotFound if what == "copy" else Forbidden):
        write(what, unit, unit.handler, mine)


def test_nobody_learns_whether_a_duty_of_others_exists(unit, days):
    _, _, far = days
    said = []
    for item in (item_of(far), 10**6):
        with pytest.raises(NotFound) as refused:
            remove_item(unit.manager, item, actor=COMMAND_LINE)
        said.append(refused.value.message)
    assert said[0] == said[1]


def test_day_is_planned_by_its_manager_and_by_nobody_else(unit):
    assert plan_day(unit.manager, unit.harbour, unit_today(), actor=COMMAND_LINE).id
    for who, project in ((unit.manager, unit.airport), (unit.handler, unit.harbour)):
        with pytest.raises(NotFound):
            plan_day(who, project, unit_today(), actor=COMMAND_LINE)


def test_only_who_sees_everything_opens_a_locked_day(unit, days):
    mine, _, _ = days
    lock_day(unit.manager, mine, "Counted", actor=COMMAND_LINE)
    until = get_visible_day(unit.manager, mine).locked_at + timedelta(hours=1)
    for who in (unit.manager, unit.handler):
        with pytest.raises(Forbidden):
            open_day(who, mine, "A mistake", until, actor=COMMAND_LINE)
    assert open_day(EVERYTHING, mine, "A mistake", until, actor=COMMAND_LINE).state == "open"
