"""Locked days by the pages: what refuses to change, and who opens one again."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from k9ops.audit.models import AuditEntry
from k9ops.audit.services import COMMAND_LINE
from k9ops.core.db import db
from k9ops.notifications.kinds import show
from k9ops.notifications.models import Notification
from k9ops.projects.scope import EVERYTHING
from k9ops.schedules.locking import UNMARKED, lock_day, open_day
from k9ops.schedules.models import Attendance, DayState, DutyItem, DutySchedule, Shift
from k9ops.schedules.services import NewItem
from tests.support.pages import faults, send, words_of
from tests.support.unit import plan, today

DAY = timedelta(days=1)
LOCKED = "This day is locked: nothing of it can be changed."


def only_message():
    return show(db.session.scalars(select(Notification)).one())


def kept(kind, key):
    return db.session.get(kind, key)


def count(kind):
    return db.session.scalar(select(func.count()).select_from(kind))


def change(kind, key, **values):
    db.session.execute(update(kind).where(kind.id == key).values(**values))
    db.session.commit()


def lock(day, reason="Counted"):
    lock_day(EVERYTHING, day, reason, actor=COMMAND_LINE)


def test_lock_by_hand_needs_a_reason_and_is_told_on_the_day(unit, day, as_caline):
    page = send(as_caline, f"/schedules/{day}/lock", reason=" ")
    assert page.status_code == 422
    assert "reason" in faults(page.text)
    assert send(as_caline, f"/schedules/{day}/lock", reason="All counted").status_code == 303
    words = words_of(as_caline.get(f"/schedules/{day}"))
    assert "This day is locked: nothing of it can be changed" in words
    assert "Locked by caline" in words
    assert "All counted" in words


def test_locked_day_has_no_way_to_edit_it(unit, day, item, as_amal, as_caline, inside):
    inside(lock, day)
    for client in (as_amal, as_caline):
        page = client.get(f"/schedules/{day}").text
        assert "items/" not in page
        assert f"/schedules/{day}/lock" not in page
    assert f"/schedules/{day}/unlock" in as_amal.get(f"/schedules/{day}").text
    assert "/unlock" not in as_caline.get(f"/schedules/{day}").text


CHANGES = {
    "add": "/schedules/{day}/items/new",
    "change": "/schedules/items/{item}/edit",
    "remove": "/schedules/items/{item}/remove",
    "present": "/schedules/items/{item}/present",
    "attendance": "/schedules/items/{item}/attendance",
    "lock": "/schedules/{day}/lock",
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("who", ["as_amal", "as_caline"])
def test_locked_day_answers_every_change_with_itself_and_the_reason(
    unit, day, item, request, who, change, inside
):
    client = request.getfixturevalue(who)
    inside(lock, day)
    before = inside(count, AuditEntry)
    fields = {"handler_id": unit.dalia, "shift_id": unit.night, "attendance": "absent",
              "reason": "Once more"}  # fmt: skip
    page = send(client, CHANGES[change].format(day=day, item=item), **fields)
    assert page.status_code == 409
    words = words_of(page)
    assert LOCKED in words
    assert "An administrator can open it again for a time, with a reason." in words
    assert "Badr Salem" in words  # the day itself: the page goes on
    found = inside(kept, DutyItem, item)
    assert (found.handler_id, found.attendance) == (unit.badr, Attendance.PLANNED)
    assert inside(count, AuditEntry) == before


@pytest.mark.parametrize("form", ["add", "change", "attendance", "lock"])
def test_form_of_a_locked_day_is_not_shown(unit, day, item, as_caline, form, inside):
    inside(lock, day)
    page = as_caline.get(CHANGES[form].format(day=day, item=item))
    assert page.status_code == 409
    assert LOCKED in words_of(page)


def test_planning_a_locked_day_anew_changes_nothing(unit, day, as_caline, inside):
    inside(lock, day)
    answer = send(as_caline, "/schedules", project_id=unit.harbour, date=today())
    assert answer.location == f"/schedules/{day}"
    assert inside(kept, DutySchedule, day).state == DayState.LOCKED


def test_administrator_opens_a_locked_day_until_a_time(unit, day, item, as_amal, inside):
    inside(lock, day)
    until = (datetime.now(UTC) + timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M")  # 2 h in Riyadh
    answer = send(as_amal, f"/schedules/{day}/unlock", reason="Wrong dog", until=until)
    assert answer.status_code == 303
    words = words_of(as_amal.get(f"/schedules/{day}"))
    assert "This day was opened again until" in words
    assert "Opened by amal: Wrong dog." in words
    assert send(as_amal, f"/schedules/items/{item}/present").status_code == 303
    left = inside(kept, DutySchedule, day).open_until - datetime.now(UTC)
    assert timedelta(minutes=118) < left <= timedelta(hours=2)


def test_day_whose_opening_ended_is_shown_as_locked_until_it_is_opened_again(
    unit, day, item, as_amal, as_caline, inside
):
    inside(lock, day)
    until = datetime.now(UTC) + timedelta(hours=1)
    inside(open_day, EVERYTHING, day, "Wrong dog", until, actor=COMMAND_LINE)
    inside(change, DutySchedule, day, open_until=until - timedelta(hours=2))
    words = words_of(as_caline.get(f"/schedules/{day}"))
    assert "This day is locked: nothing of it can be changed" in words
    assert "Its opening ended" in words
    page = send(as_caline, f"/schedules/items/{item}/present")
    assert page.status_code == 409
    assert "The time for which this day was opened is over" in words_of(page)
    assert "its opening ended" in words_of(as_caline.get("/schedules?state=locked"))
    assert "its opening ended" not in words_of(as_caline.get("/schedules?state=open"))
    until = (datetime.now(UTC) + timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M")
    answer = send(as_amal, f"/schedules/{day}/unlock", reason="Again", until=until)
    assert answer.status_code == 303
    assert (
        send(as_caline, f"/schedules/items/{item}/attendance", attendance="absent").status_code
        == 303
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [("reason", ""), ("reason", "x" * 301), ("until", ""), ("until", "soon"),
     ("until", "2020-01-01T00:00"), ("until", "9999-12-31T23:59")],
)  # fmt: skip
def test_opening_without_a_good_reason_or_time_is_refused_at_the_field(
    unit, day, as_amal, field, value, inside
):
    inside(lock, day)
    until = (datetime.now(UTC) + DAY).strftime("%Y-%m-%dT%H:%M")
    fields = {"reason": "Wrong dog", "until": until, field: value}
    page = send(as_amal, f"/schedules/{day}/unlock", **fields)
    assert page.status_code == 422
    assert field in faults(page.text)
    assert inside(kept, DutySchedule, day).state == DayState.LOCKED


def test_manager_cannot_open_a_locked_day(unit, day, as_caline, inside):
    inside(lock, day)
    assert as_caline.get(f"/schedules/{day}/unlock").status_code == 403
    answer = send(as_caline, f"/schedules/{day}/unlock", reason="Please", until="2030-01-01T00:00")
    assert answer.status_code == 403
    assert inside(kept, DutySchedule, day).state == DayState.LOCKED


def test_day_that_is_open_cannot_be_opened(unit, day, as_amal):
    answer = as_amal.get(f"/schedules/{day}/unlock")
    assert answer.location == f"/schedules/{day}"
    assert "This day is not locked." in words_of(as_amal.get(answer.location))


def test_command_locks_what_is_over_and_the_manager_is_told(unit, runner, as_caline, inside):
    over = inside(plan, unit, today() - 2 * DAY, NewItem(unit.badr, unit.morning))
    done = inside(runner.invoke, args=["lock-schedules", "--json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert (document["state"], document["result"]) == ("succeeded", {"locked": 1, "found": 1})
    words = words_of(as_caline.get(f"/schedules/{over}"))
    assert "Locked by the automatic lock" in words
    told = inside(only_message)
    assert told.url == f"/schedules/{over}"
    assert f"{today() - 2 * DAY:%-d %B %Y}: it is not noted who came." in told.text
    assert "Harbour" in told.text
    again = inside(runner.invoke, args=["lock-schedules"])
    assert again.stdout == "Locked 0 days of duty.\n"


def test_older_notice_of_a_locked_day_names_its_project_in_arabic(app):
    params = {"project": "الميناء", "date": "2026-11-20"}
    with app.app_context():
        told = show(Notification(kind=UNMARKED, params=params, url="/"))
    assert "الميناء" in told.text
    assert "20 November 2026" in told.text


def test_shift_that_is_used_no_more_keeps_its_lane_where_somebody_stood(
    unit, day, as_caline, inside
):
    inside(change, Shift, unit.morning, active=False)
    page = as_caline.get(f"/schedules/{day}")
    assert "Badr Salem" in words_of(page)
    assert f"items/new?shift={unit.morning}" not in page.text
