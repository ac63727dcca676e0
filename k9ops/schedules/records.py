"""Duty on the page of a dog and of a person: what comes, and what was."""

from typing import Any

from sqlalchemy import ColumnElement, Select
from sqlalchemy.orm import contains_eager, joinedload

from k9ops.core.clock import utcnow
from k9ops.core.db import db, join_as_written
from k9ops.core.paging import numbered_page
from k9ops.kennel.models import Dog
from k9ops.people.models import Person
from k9ops.projects.scope import Viewer, current_viewer
from k9ops.schedules import words
from k9ops.schedules.models import DutyItem, DutySchedule
from k9ops.schedules.queries import stands, visible_days
from k9ops.web.filters import page_number

#: So many stand on a page of each of the two lists.
SHOWN = 8


def duty_of_dog(dog: Dog) -> dict[str, Any]:
    """What a dog's page tells of its duty, as far as the person of this request may see it."""
    return {"of_dog": True, **_duty(DutyItem.dog_id == dog.id)}


def duty_of_person(person: Person) -> dict[str, Any]:
    """What a person's page tells of their duty, those in which they stood in too."""
    return {"of_dog": False, "person_id": person.id, **_duty(stands(person.id))}


def _duty(whose: ColumnElement[bool]) -> dict[str, Any]:
    query, session, now = _items(current_viewer(), whose), db.session(), utcnow()
    join_as_written(session)
    coming = query.where(DutyItem.ends_at > now), DutyItem.starts_at, DutyItem.id
    past = query.where(DutyItem.ends_at <= now), DutyItem.starts_at.desc(), DutyItem.id.desc()
    return {
        "coming": numbered_page(session, *coming, number=page_number("coming"), limit=SHOWN),
        "past": numbered_page(session, *past, number=page_number("past"), limit=SHOWN),
        "duty": words,
    }


def _items(viewer: Viewer, whose: ColumnElement[bool]) -> Select[DutyItem]:
    days = visible_days(viewer).join(DutyItem, DutyItem.duty_schedule_id == DutySchedule.id)
    query: Select[Any] = days.with_only_columns(DutyItem).where(whose)
    day = contains_eager(DutyItem.schedule).joinedload(DutySchedule.project)
    loaded = (DutyItem.handler, DutyItem.replacement, DutyItem.dog, DutyItem.shift, DutyItem.place)
    return query.options(day, *(joinedload(one) for one in loaded))
