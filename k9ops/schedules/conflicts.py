"""Duties still to be done whose handler or dog may no longer stand there, and why not."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, exists, or_, select, tuple_

from k9ops.core.clock import db_now, utcnow
from k9ops.core.db import db
from k9ops.core.prepared_statements import KeptQuery
from k9ops.kennel.models import Dog
from k9ops.people.models import Person
from k9ops.projects.models import Assignment
from k9ops.projects.queries import assigned_on, is_fit, is_handler
from k9ops.schedules.models import Attendance, DutyItem, DutySchedule

#: No duty that is still to be done belongs to a day before that.
_LONGEST_AGO = timedelta(days=2)


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

    handler: str | None = None
    dog: str | None = None


def in_conflict() -> ColumnElement[bool]:
    """Duties of a query that names their days too, which may not stand as they are planned."""
    return _in_conflict(_earliest_day())


def _earliest_day() -> date:
    return (utcnow() - _LONGEST_AGO).date()


@lru_cache(maxsize=2)
def _in_conflict(since: date) -> ColumnElement[bool]:
    """Kept, since to build it takes longer than to look a few duties up."""
    ahead = and_(DutyItem.attendance == Attendance.PLANNED, DutyItem.ends_at > db_now())
    # Few are out of service, and most assignments hold for good: such sets are read once, and only
    # what they leave open is looked up for each duty.
    no_handlers, unfit = select(Person.id).where(~is_handler()), select(Dog.id).where(~is_fit())
    person_away = and_(~_stays(since, DutyItem.handler_id, Assignment.person_id), _person_away())
    dog_away = and_(~_stays(since, DutyItem.dog_id, Assignment.dog_id), _dog_away())
    wrong = DutyItem.handler_id.in_(no_handlers), DutyItem.dog_id.in_(unfit), person_away, dog_away
    return and_(ahead, or_(*wrong))


def faults_of_day(day_id: int) -> dict[int, Faults]:
    """The duties of a day that are in conflict, by their ids."""
    found = _faults_since(_earliest_day()).all(db.session(), day=day_id)
    return {key: Faults(handler, dog) for key, handler, dog in found}


@lru_cache(maxsize=2)
def _faults_since(since: date) -> KeptQuery:
    faults = _handler_fault().label("handler"), _dog_fault().label("dog")
    query = select(DutyItem.id, *faults).join(DutySchedule)
    query = query.where(DutySchedule.id == bindparam("day"), _in_conflict(since))
    return KeptQuery(lambda: query)


def _stays(since: date, key: Any, whom: Any) -> ColumnElement[bool]:
    """They belong to the project on all days whose duties may still be to be done."""
    stays = Assignment.from_on <= since, Assignment.to_on.is_(None), whom.is_not(None)
    found = select(Assignment.project_id, whom).where(*stays)
    return tuple_(DutySchedule.project_id, key).in_(found)


def _handler_fault() -> ColumnElement[Any]:
    """What is wrong with the handler of a duty that is in conflict."""
    left = exists().where(Person.id == DutyItem.handler_id, Person.active.is_(False))
    whens = (left, Fault.LEFT), (_no_handler(), Fault.OTHER_WORK), (_person_away(), Fault.AWAY)
    return case(*whens)


def _dog_fault() -> ColumnElement[Any]:
    """What is wrong with the dog of a duty that is in conflict."""
    return case((_unfit(), Fault.UNFIT), (_dog_away(), Fault.AWAY))


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
