"""Setting up shifts."""

from dataclasses import replace
from datetime import time, timedelta

import pytest
from sqlalchemy import select

from k9ops.audit.models import AuditEntry
from k9ops.audit.services import COMMAND_LINE
from k9ops.core.db import db
from k9ops.core.errors import BadInput, Conflict, NotFound
from k9ops.projects.scope import EVERYTHING
from k9ops.schedules.models import Shift
from k9ops.schedules.queries import active_shifts, items_of
from k9ops.schedules.services import NewItem
from k9ops.schedules.shifts import (
    ShiftValues,
    add_shift,
    change_shift,
    reinstate_shift,
    retire_shift,
)
from tests.support.unit import plan, today

NOON = ShiftValues(name="ظهيرة", starts=time(11), ends=time(15, 30), name_en="Noon")


@pytest.fixture(autouse=True)
def in_context(context, unit):
    return context


def actions():
    query = select(AuditEntry).where(AuditEntry.target_kind == "shift").order_by(AuditEntry.id)
    return [(entry.action, entry.detail) for entry in db.session.scalars(query)]


def test_shift_is_kept_audited_and_offered_when_added():
    added = add_shift(NOON, actor=COMMAND_LINE)
    assert added in active_shifts()
    ((action, detail),) = actions()
    assert (action, detail["starts"]) == ("shift.added", [None, "11:00:00"])


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", " "), ("name", "N" * 121), ("name_en", "N" * 121), ("starts", None), ("ends", None),
     ("ends", time(11))],
)  # fmt: skip
def test_field_at_fault_is_named_and_nothing_is_kept(field, value):
    with pytest.raises(BadInput) as refused:
        add_shift(replace(NOON, **{field: value}), actor=COMMAND_LINE)
    assert refused.value.field == field
    assert actions() == []


def test_name_of_another_shift_is_refused_though_it_is_retired(unit):
    retire_shift(unit.morning, actor=COMMAND_LINE)
    with pytest.raises(Conflict) as refused:
        add_shift(replace(NOON, name="صباحية"), actor=COMMAND_LINE)
    assert refused.value.field == "name"


def test_changed_shift_moves_no_duty_that_is_planned_already(unit):
    day = plan(unit, today(), NewItem(unit.badr, unit.night))
    before = items_of(EVERYTHING, day)[0].starts_at
    values = replace(NOON, name="ليلية", starts=time(23), ends=time(5))
    change_shift(unit.night, values, actor=COMMAND_LINE)
    assert items_of(EVERYTHING, day)[0].starts_at == before
    later = plan(unit, today() + timedelta(days=2), NewItem(unit.badr, unit.night))
    duty = items_of(EVERYTHING, later)[0]
    assert duty.ends_at - duty.starts_at == timedelta(hours=6)
    assert ("shift.changed", {"starts": ["22:00:00", "23:00:00"], "ends": ["06:00:00", "05:00:00"],
                              "name_en": ["Night", "Noon"]}) in actions()  # fmt: skip


def test_retired_shift_is_planned_no_more_until_it_is_reinstated(unit):
    retire_shift(unit.morning, actor=COMMAND_LINE)
    with pytest.raises(BadInput) as refused:
        plan(unit, today(), NewItem(unit.badr, unit.morning))
    assert refused.value.field == "shift_id"
    reinstate_shift(unit.morning, actor=COMMAND_LINE)
    plan(unit, today(), NewItem(unit.badr, unit.morning))
    assert [detail for _, detail in actions()] == [{"active": [True, False]},
                                                   {"active": [False, True]}]  # fmt: skip


def test_shift_that_is_not_there_is_not_changed():
    for change in (retire_shift, reinstate_shift):
        with pytest.raises(NotFound):
            change(4_000, actor=COMMAND_LINE)
    with pytest.raises(NotFound):
        change_shift(4_000, NOON, actor=COMMAND_LINE)
    assert db.session.get(Shift, 4_000) is None
