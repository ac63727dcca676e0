"""Changing projects, their places, and who belongs to them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from k9ops.audit.models import AuditEntry
from k9ops.audit.services import COMMAND_LINE
from k9ops.core.db import db
from k9ops.core.errors import BadInput, Conflict, NotFound
from k9ops.kennel.models import Dog
from k9ops.projects.models import Assignment, Project
from k9ops.projects.queries import dogs_to_assign, is_assigned, people_to_assign, places_of
from k9ops.projects.services import (
    NewAssignment,
    PlaceValues,
    ProjectValues,
    add_place,
    add_project,
    assign,
    change_project,
    close_place,
    end_assignment,
    reopen_place,
)

OASIS = ProjectValues(code="OAS", name="مطار الواحة", starts_on=date(2026, 1, 1))
MARCH = NewAssignment(from_on=date(2026, 3, 1), to_on=date(2026, 3, 31))


@pytest.fixture(autouse=True)
def in_context(context, unit):
    return context


def entries(action):
    query = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)
    return list(db.session.scalars(query))


def test_project_is_kept_changed_and_audited(unit):
    added = add_project(OASIS, actor=COMMAND_LINE)
    later = replace(OASIS, status="active", manager_id=unit.caline, ends_on=date(2026, 1, 1))
    change_project(added.id, later, actor=COMMAND_LINE)
    (entry,) = entries("project.changed")
    assert entry.target_name == "OAS"
    assert entry.detail == {
        "status": ["planned", "active"],
        "ends_on": [None, "2026-01-01"],
        "manager_id": [None, unit.caline],
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("code", "O" * 33),
        ("name", ""),
        ("status", "sold"),
        ("starts_on", None),
        ("ends_on", date(2025, 12, 31)),
        ("manager_id", 4_000),
        ("notes", "a\0"),
    ],
)
def test_field_at_fault_is_named_and_nothing_is_kept(field, value):
    with pytest.raises(BadInput) as refused:
        add_project(replace(OASIS, **{field: value}), actor=COMMAND_LINE)
    assert refused.value.field == field
    assert entries("project.added") == []


def test_code_of_another_project_is_refused():
    with pytest.raises(Conflict) as refused:
        add_project(replace(OASIS, code="HRB"), actor=COMMAND_LINE)
    assert refused.value.field == "code"


def test_place_is_not_planned_while_it_is_closed(unit):
    quay = add_place(unit.harbour, PlaceValues("الرصيف", "Quay"), actor=COMMAND_LINE)
    close_place(unit.harbour, quay.id, actor=COMMAND_LINE)
    assert quay not in places_of(unit.harbour)
    reopen_place(unit.harbour, quay.id, actor=COMMAND_LINE)
    assert quay in places_of(unit.harbour)
    assert [entry.detail for entry in entries("place.changed")] == [
        {"active": [True, False]},
        {"active": [False, True]},
    ]


def test_place_has_a_name_of_its_own_in_its_project(unit):
    with pytest.raises(Conflict) as refused:
        add_place(unit.harbour, PlaceValues("البوابة"), actor=COMMAND_LINE)
    assert refused.value.field == "name"
    add_place(unit.airport, PlaceValues("البوابة"), actor=COMMAND_LINE)


def test_place_is_changed_only_through_its_project(unit):
    with pytest.raises(NotFound):
        close_place(unit.airport, unit.gate, actor=COMMAND_LINE)


def test_person_belongs_to_the_project_on_the_days_of_the_assignment(unit):
    assign(unit.harbour, replace(MARCH, person_id=unit.farid), actor=COMMAND_LINE)
    days = [date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 31), date(2026, 4, 1)]
    held = [is_assigned(unit.harbour, day, person_id=unit.farid) for day in days]
    assert held == [False, True, True, False]
    (entry,) = entries("assignment.added")
    assert entry.target_name == "HRB فريد عون"


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 3, 31), None),
        (date(2026, 3, 10), date(2026, 3, 12)),
        (date(2026, 1, 1), date(2026, 3, 1)),
        (date(2026, 1, 1), None),
    ],
)
def test_dog_is_not_assigned_twice_for_one_day(unit, first, last):
    assign(unit.harbour, replace(MARCH, dog_id=unit.far), actor=COMMAND_LINE)
    again = NewAssignment(first, last, dog_id=unit.far)
    with pytest.raises(BadInput) as refused:
        assign(unit.harbour, again, actor=COMMAND_LINE)
    assert refused.value.field == "from_on"
    after = NewAssignment(date(2026, 4, 1), dog_id=unit.far)
    assert assign(unit.harbour, after, actor=COMMAND_LINE).to_on is None


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (replace(MARCH, person_id=4_000), "person_id"),
        (MARCH, "person_id"),
        (replace(MARCH, dog_id=4_000), "dog_id"),
        (replace(MARCH, person_id=1, dog_id=1), "dog_id"),
        (replace(MARCH, person_id=5, from_on=None), "from_on"),
        (replace(MARCH, person_id=5, to_on=date(2026, 2, 1)), "to_on"),
    ],
)
def test_wrong_assignment_is_refused_by_its_field(unit, new, field):
    with pytest.raises(BadInput) as refused:
        assign(unit.harbour, new, actor=COMMAND_LINE)
    assert refused.value.field == field
    assert entries("assignment.added") == []


@pytest.mark.parametrize("status", ["retired", "deceased"])
def test_dog_out_of_service_is_not_assigned(unit, status):
    db.session.get_one(Dog, unit.far).status = status
    db.session.commit()
    with pytest.raises(BadInput) as refused:
        assign(unit.harbour, replace(MARCH, dog_id=unit.far), actor=COMMAND_LINE)
    assert refused.value.field == "dog_id"


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "field"),
    [
        (date(2026, 4, 1), None, "to_on"),
        (date(2026, 1, 1), date(2026, 2, 28), "from_on"),
        (date(2026, 3, 31), None, None),
        (date(2026, 1, 1), date(2026, 3, 1), None),
    ],
)
def test_assignment_has_a_day_of_its_project(unit, starts_on, ends_on, field):
    project = db.session.get_one(Project, unit.harbour)
    project.starts_on, project.ends_on = starts_on, ends_on
    db.session.commit()
    new = replace(MARCH, person_id=unit.farid)
    if field is None:
        assert assign(unit.harbour, new, actor=COMMAND_LINE).id
        return
    with pytest.raises(BadInput) as refused:
        assign(unit.harbour, new, actor=COMMAND_LINE)
    assert refused.value.field == field
    assert str((ends_on or starts_on).year) in refused.value.message


def test_assignment_ends_on_its_last_day(unit):
    made = assign(
        unit.harbour, NewAssignment(date(2026, 3, 1), person_id=unit.farid), actor=COMMAND_LINE
    )
    for wrong in (None, date(2026, 2, 28)):
        with pytest.raises(BadInput) as refused:
            end_assignment(unit.harbour, made.id, wrong, actor=COMMAND_LINE)
        assert refused.value.field == "to_on"
    with pytest.raises(NotFound):
        end_assignment(unit.airport, made.id, date(2026, 3, 5), actor=COMMAND_LINE)
    end_assignment(unit.harbour, made.id, date(2026, 3, 5), actor=COMMAND_LINE)
    (entry,) = entries("assignment.changed")
    assert entry.detail == {"to_on": [None, "2026-03-05"]}


def test_end_does_not_reach_into_the_next_assignment(unit):
    first = assign(unit.harbour, replace(MARCH, person_id=unit.farid), actor=COMMAND_LINE)
    may = NewAssignment(date(2026, 5, 1), person_id=unit.farid)
    assign(unit.harbour, may, actor=COMMAND_LINE)
    with pytest.raises(BadInput):
        end_assignment(unit.harbour, first.id, date(2026, 5, 1), actor=COMMAND_LINE)
    end_assignment(unit.harbour, first.id, date(2026, 4, 30), actor=COMMAND_LINE)


def test_only_who_does_not_belong_until_further_notice_is_offered(unit):
    offered = {one.id for one in people_to_assign(unit.airport)}
    assert offered == {unit.caline, unit.badr, unit.dalia, unit.essam}
    assert unit.far not in [one.id for one in dogs_to_assign(unit.airport)]


def test_person_is_assigned_once_when_several_do_it_at_once(app, unit):
    def try_it(_):
        with app.app_context():
            try:
                return assign(
                    unit.harbour, replace(MARCH, person_id=unit.farid), actor=COMMAND_LINE
                ).id
            except BadInput as error:
                return error.field

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(try_it, range(4)))
    assert sorted(map(str, answers))[1:] == ["from_on"] * 3
    mine = select(Assignment).where(
        Assignment.person_id == unit.farid, Assignment.project_id == unit.harbour
    )
    assert len(list(db.session.scalars(mine))) == 1
