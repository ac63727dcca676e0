"""The pages of duty: what an administrator, a manager and a handler see there."""

import re
from datetime import timedelta

import pytest

from k9ops.audit.services import COMMAND_LINE
from k9ops.core.db import db
from k9ops.projects.models import Project
from k9ops.projects.scope import EVERYTHING
from k9ops.schedules.models import Attendance
from k9ops.schedules.queries import items_of
from k9ops.schedules.services import NewItem, mark_attendance
from tests.support.pages import send, words_of
from tests.support.unit import LONG_AGO, begin, plan, today

DAY = timedelta(days=1)


def mark(item, attendance, **values):
    mark_attendance(EVERYTHING, item, attendance, actor=COMMAND_LINE, **values)


def test_board_tells_the_state_and_what_is_missing_of_each_project(
    unit, day, item, as_amal, inside
):
    inside(mark, item, Attendance.ABSENT)
    words = words_of(as_amal.get("/schedules"))
    assert "Harbour HRB Open 1 of 2 1 absent" in words
    assert "Airport AIR Not planned" in words


@pytest.mark.parametrize(("state", "shown"), [("open", "HRB"), ("not_planned", "AIR")])
def test_board_shows_only_days_of_the_chosen_state(unit, day, as_amal, state, shown):
    page = as_amal.get(f"/schedules?state={state}")
    assert re.findall(r'class="mono">(\w+)</span></span></td>', page.text) == [shown]
    assert f'value="{state}" selected' in page.text


def test_board_of_a_week_comes_in_pages_that_keep_its_filters(unit, as_amal, inside):
    inside(add_projects, 4)
    page = as_amal.get("/schedules?span=week&state=not_planned")
    assert "1–25 of 42" in words_of(page)
    onward = re.search(r'rel="next" href="(/schedules\?[^"]*page=2[^"]*)"', page.text)[1]
    second = as_amal.get(onward.replace("&amp;", "&"))
    assert "26–42 of 42" in words_of(second)
    assert 'value="not_planned" selected' in second.text


def add_projects(number):
    for one in range(number):
        values = {"code": f"P{one}", "name": f"مشروع {one}", "starts_on": LONG_AGO}
        db.session.add(Project(status="active", **values))
    db.session.commit()


@pytest.mark.parametrize(
    "query", ["day=yesterday", "day=0001-01-01", "day=9999-12-31", "project=x", "page=9999999999"]
)
def test_board_stands_odd_addresses(unit, day, as_amal, query):
    assert as_amal.get(f"/schedules?{query}").status_code == 200


def test_manager_sees_only_their_projects(unit, day, as_caline, inside):
    other = inside(plan, unit, today(), NewItem(unit.farid, unit.morning), project=unit.airport)
    board = as_caline.get("/schedules?span=week").text
    assert "HRB" in board
    assert "AIR" not in board
    foreign = inside(items_of, EVERYTHING, other)[0].id
    for path in (f"/schedules/{other}", f"/schedules/{other}/lock", f"/schedules/{other}/copy",
                 f"/schedules/{other}/items/new", f"/schedules/items/{foreign}/edit",
                 f"/schedules/items/{foreign}/attendance"):  # fmt: skip
        assert as_caline.get(path).status_code == 404, path
    assert send(as_caline, f"/schedules/items/{foreign}/present").status_code == 404
    asked = {"project_id": unit.airport, "date": today() + DAY}
    assert send(as_caline, "/schedules", **asked).status_code == 404


def test_handler_sees_only_their_own_duty(unit, day, as_badr, inside):
    inside(plan, unit, today() + DAY, NewItem(unit.dalia, unit.morning, unit.luna))
    inside(plan, unit, today(), NewItem(unit.essam, unit.morning))
    words = words_of(as_badr.get("/schedules?lang=en"))
    assert "Rex K9-001 Gate" in words
    assert "With Essam Rashid" in words
    assert "Luna" not in words
    words = words_of(as_badr.get(f"/schedules/{day}?lang=en"))
    assert "Badr Salem" in words
    assert "Dalia" not in words


def test_handler_is_refused_every_form(unit, day, item, as_badr):
    for path in (f"/schedules/{day}/items/new", f"/schedules/items/{item}/edit",
                 f"/schedules/items/{item}/attendance", f"/schedules/{day}/lock",
                 f"/schedules/{day}/unlock", f"/schedules/{day}/copy"):  # fmt: skip
        assert as_badr.get(path).status_code == 403, path
        assert send(as_badr, path).status_code == 403, path
    assert "/edit" not in as_badr.get(f"/schedules/{day}").text


def test_handler_without_duty_reads_that_there_is_none(unit, as_badr):
    assert "No duty is planned for you" in words_of(as_badr.get("/schedules?lang=en"))


def test_handler_who_was_replaced_reads_it_and_is_not_told_to_come(unit, as_badr, inside):
    day = inside(plan, unit, today(), NewItem(unit.badr, unit.night))
    duty = inside(items_of, EVERYTHING, day)[0].id
    inside(begin, duty)
    inside(mark, duty, Attendance.REPLACED, replacement_id=unit.essam)
    words = words_of(as_badr.get("/schedules?lang=en"))
    assert "No duty is planned for you" in words
    assert "Replaced" in words


def test_names_are_those_of_the_language(unit, day, as_amal):
    assert "Badr Salem" in words_of(as_amal.get(f"/schedules/{day}?lang=en"))
    assert "بدر سالم" in words_of(as_amal.get(f"/schedules/{day}?lang=ar"))


def test_day_leads_to_the_days_round_it(unit, day, inside, as_caline, as_badr):
    tomorrow = inside(plan, unit, today() + DAY)
    page = as_caline.get(f"/schedules/{day}").text
    before = f"/schedules?day={today() - DAY}&amp;project={unit.harbour}"
    assert f'rel="prev" href="{before}"' in page
    assert f'rel="next" href="/schedules/{tomorrow}"' in page
    assert f'href="/schedules/{day}">Today</a>' in as_caline.get(f"/schedules/{tomorrow}").text
    assert 'rel="prev"' not in as_badr.get(f"/schedules/{day}").text
