"""Duties still to be done whose handler or dog may no longer stand there, and why not."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, or_, select

from k9ops.core.clock import read_now
from k9ops.core.db import db
from k9ops.kennel.models import Dog
from k9ops.people.models import Person
from k9ops.projects.models import Assignment
from k9ops.projects.queries import assigned_on, is_fit, is_handler
from k9ops.schedules.models import Attendance, DutyItem, DutySchedule


class Fault(StrEnum):
    """What is wrong with a handler or a dog."""

    LEFT = "left"
    OTHER_WORK = "other_work"
    UNFIT = "unfit"
    #: Not assigned to the project on that day.
    AWAY = "away"


@dataclass(frozen=True)
class Faults:
    """What is wrong with the handler and with the dog of a duty; None for nothing."""

    handler: Fault | None = None
    dog: Fault | None = None


def in_conflict(now: datetime) -> ColumnElement[bool]:
    """Duties of a query that names their days too, which may not stand as they are planned."""
    ahead = and_(DutyItem.attendance == Attendance.PLANNED, DutyItem.ends_at > now)
    return and_(ahead, or_(_no_handler(), _unfit(), _person_away(), _dog_away()))


def handler_fault() -> ColumnElement[Any]:
    """What is wrong with the handler of a duty that is in conflict."""
    left = exists().where(Person.id == DutyItem.handler_id, Person.active.is_(False))
    whens = (left, Fault.LEFT), (_no_handler(), Fault.OTHER_WORK), (_person_away(), Fault.AWAY)
    return case(*whens).label("handler_fault")


def dog_fault() -> ColumnElement[Any]:
    """What is wrong with the dog of a duty that is in conflict."""
    return case((_unfit(), Fault.UNFIT), (_dog_away(), Fault.AWAY)).label("dog_fault")


def faults_of_day(day_id: int) -> dict[int, Faults]:
    """The duties of a day that are in conflict, by their ids."""
    query = (
        select(DutyItem.id, handler_fault(), dog_fault())
        .join(DutySchedule, DutySchedule.id == DutyItem.duty_schedule_id)
        .where(DutySchedule.id == day_id, in_conflict(read_now(db.session())))
    )
    return {key: Faults(handler, dog) for key, handler, dog in db.session.execute(query)}


def _no_handler() -> ColumnElement[bool]:
    return exists().where(Person.id == DutyItem.handler_id, ~is_handler())


def _unfit() -> ColumnElement[bool]:
    return exists().where(Dog.id == DutyItem.dog_id, ~is_fit())


def _person_away() -> ColumnElement[bool]:
    return ~_assigned(Assignment.person_id == DutyItem.handler_id)


def _dog_away() -> ColumnElement[bool]:
    return and_(DutyItem.dog_id.is_not(None), ~_assigned(Assignment.dog_id == DutyItem.dog_id))


def _assigned(whom: ColumnElement[bool]) -> ColumnElement[bool]:
    project = Assignment.project_id == DutySchedule.project_id
    return exists().where(project, whom, assigned_on(DutySchedule.date))
