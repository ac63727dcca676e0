"""A small unit for tests: Caline manages the harbour, Badr and two others handle dogs there.

A second project, the airport, belongs to nobody of the tests, so that Caline must not see it.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from flask import Flask
from sqlalchemy import select, update

from k9ops.accounts.models import User
from k9ops.audit.services import COMMAND_LINE, Target, record
from k9ops.core.db import db
from k9ops.kennel.models import Dog
from k9ops.people.models import Person
from k9ops.projects.models import Assignment, Place, Project
from k9ops.projects.scope import EVERYTHING, Viewer
from k9ops.schedules.models import Attendance, DutyItem, Shift
from k9ops.schedules.services import (
    NewItem,
    add_item,
    change_item,
    mark_attendance,
    plan_day,
    remove_item,
)

#: What services change a day of duty; see `change_duty`.
DUTY_CHANGES = ("add", "change", "remove", "mark")
#: Assignments hold from this day on.
LONG_AGO = date(2020, 1, 1)


@dataclass(frozen=True)
class SmallUnit:
    """Ids of what `add_unit` made."""

    harbour: int
    airport: int
    #: Caline's and the handlers' rows in `people`; badr signs in, the others do not.
    caline: int
    badr: int
    dalia: int
    essam: int
    #: Handler of the airport.
    farid: int
    #: Dogs of the harbour; `unfit` is assigned there, `far` belongs to the airport.
    rex: int
    luna: int
    unfit: int
    far: int
    morning: int
    evening: int
    night: int
    gate: int

    @property
    def manager(self) -> Viewer:
        return Viewer(self.caline, plans=True)

    @property
    def handler(self) -> Viewer:
        return Viewer(self.badr)


def add_unit(app: Flask) -> SmallUnit:
    """Add the small unit to a database that has the tests' people."""
    with app.app_context():
        return _Maker().make()


def plan(unit: SmallUnit, day: date, *items: NewItem, project: int | None = None) -> int:
    """Plan a day with its duties, by the services; its id. Needs an application context."""
    made = plan_day(EVERYTHING, project or unit.harbour, day, actor=COMMAND_LINE)
    for item in items:
        add_item(EVERYTHING, made.id, item, actor=COMMAND_LINE)
    return made.id


def note_change() -> None:
    """Let the trail know of a change by SQL, as the services do of theirs."""
    record(db.session(), COMMAND_LINE, "tests.changed", Target("row", 0))


def begin(item: int) -> None:
    """Let a duty go on since now, at whatever hour the test runs."""
    now = datetime.now(UTC)
    times = {"starts_at": now - timedelta(seconds=5), "ends_at": now + timedelta(hours=8)}
    db.session.execute(update(DutyItem).where(DutyItem.id == item).values(**times))
    db.session.commit()


def change_duty(what: str, viewer: Viewer, day: int, item: int, new: NewItem) -> None:
    """Do what one of DUTY_CHANGES names, to a day or a duty of it."""
    if what == "add":
        add_item(viewer, day, new, actor=COMMAND_LINE)
    elif what == "change":
        change_item(viewer, item, new, actor=COMMAND_LINE)
    elif what == "remove":
        remove_item(viewer, item, actor=COMMAND_LINE)
    else:
        mark_attendance(viewer, item, Attendance.ABSENT, actor=COMMAND_LINE)


def today() -> date:
    """The day of the tests' clock in Riyadh."""
    return (datetime.now(UTC) + timedelta(hours=3)).date()


class _Maker:
    def make(self) -> SmallUnit:
        accounts = {user.username: user.id for user in db.session.scalars(select(User))}
        people = self._people(accounts)
        harbour = self._project("HRB", "الميناء", "Harbour", people["caline"])
        airport = self._project("AIR", "المطار", "Airport", None)
        dogs = {
            "rex": self._dog("K9-001", "ركس", "Rex", "explosives", people["badr"]),
            "luna": self._dog("K9-002", "لونا", "Luna", "narcotics", people["dalia"]),
            "unfit": self._dog("K9-003", "سهم", "Sahm", "patrol", None, fitness="unfit"),
            "far": self._dog("K9-004", "برق", "Barq", "search", people["farid"]),
        }
        for name in ("badr", "dalia", "essam"):
            self._add(Assignment(project_id=harbour, person_id=people[name], from_on=LONG_AGO))
        self._add(Assignment(project_id=airport, person_id=people["farid"], from_on=LONG_AGO))
        for name, dog in dogs.items():
            where = airport if name == "far" else harbour
            self._add(Assignment(project_id=where, dog_id=dog, from_on=LONG_AGO))
        shifts = {
            "morning": self._shift("صباحية", "Morning", 6, 14),
            "evening": self._shift("مسائية", "Evening", 14, 22),
            "night": self._shift("ليلية", "Night", 22, 6),
        }
        gate = self._add(Place(project_id=harbour, name="البوابة", name_en="Gate"))
        db.session.commit()
        return SmallUnit(harbour=harbour, airport=airport, gate=gate, **people, **dogs, **shifts)

    def _people(self, accounts: dict[str, int]) -> dict[str, int]:
        rows = (
            ("caline", "كالين خوري", "Caline Khoury", "project_manager"),
            ("badr", "بدر سالم", "Badr Salem", "handler"),
            ("dalia", "داليا نصر", "Dalia Nasr", "handler"),
            ("essam", "عصام رشيد", "Essam Rashid", "handler"),
            ("farid", "فريد عون", "Farid Aoun", "handler"),
        )
        return {
            key: self._add(
                Person(
                    number=f"P-{number:03}", name=name, name_en=english, work=work,
                    user_id=accounts.get(key),
                )
            )
            for number, (key, name, english, work) in enumerate(rows, 1)
        }  # fmt: skip

    def _project(self, code: str, name: str, english: str, manager: int | None) -> int:
        return self._add(
            Project(
                code=code, name=name, name_en=english, status="active", starts_on=LONG_AGO,
                manager_id=manager,
            )
        )  # fmt: skip

    def _dog(
        self, code: str, name: str, english: str, what: str, handler: int | None, **values: str
    ) -> int:
        return self._add(
            Dog(
                code=code, name=name, name_en=english, sex="male", specialty=what,
                handler_id=handler, **values,
            )
        )  # fmt: skip

    def _shift(self, name: str, english: str, starts: int, ends: int) -> int:
        return self._add(Shift(name=name, name_en=english, starts=time(starts), ends=time(ends)))

    @staticmethod
    def _add(row: object) -> int:
        db.session.add(row)
        db.session.flush()
        return row.id
