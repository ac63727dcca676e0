"""The people, dogs and projects of the sample unit."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain, islice, repeat
from typing import Any

from sqlalchemy import insert, select

from k9ops.accounts.models import User
from k9ops.accounts.passwords import hash_password
from k9ops.accounts.permissions import Role
from k9ops.audit.services import COMMAND_LINE, Target, record
from k9ops.core.clock import db_now
from k9ops.core.db import Base, db
from k9ops.kennel.models import Dog, DogStatus, Fitness, Sex, Specialty
from k9ops.people.models import Person, Work
from k9ops.projects.models import Assignment, Place, Project, ProjectStatus
from k9ops.sample import names
from k9ops.sample.names import Name

MANAGER = "manager"
HANDLERS = ("handler1", "handler2", "handler3", "handler4")
#: How many handlers each project has; a manager and two dogs in reserve come with it.
TEAMS = (8, 8, 8, 7, 7, 6)
CODES = ("OAS", "SDR", "CRV", "NTH", "LHT", "PLM")
STAFF = {
    Work.MANAGER: len(TEAMS),
    Work.HANDLER: sum(TEAMS),
    Work.TRAINER: 3,
    Work.VETERINARIAN: 3,
    Work.BREEDER: 2,
    Work.OFFICE: 2,
}
RESERVE = 2
SECOND_OF_MANAGER = 3
#: Dogs of no project: how many, in which state, born how many years ago.
OTHER_DOGS = (
    (DogStatus.TRAINING, 12, 1),
    (DogStatus.RETIRED, 10, 11),
    (DogStatus.DECEASED, 2, 13),
)
PEOPLE, DOGS = sum(STAFF.values()), 80
#: Handlers' dogs that a veterinarian keeps from duty or spares, by their place among them.
UNFIT, LIGHT = (9, 33), (5, 20, 28, 39)
#: A database is asked for this many rows at once.
BATCH = 5000


@dataclass(frozen=True)
class Team:
    """A project and who works there: each handler with their dog."""

    project: int
    manager: str
    handlers: list[tuple[int, int]]
    places: list[int]


def insert_rows(model: type[Base], rows: Iterable[dict[str, Any]]) -> int:
    """Insert many rows, all with the same columns, past the session; returns how many."""
    waiting, count = iter(rows), 0
    while batch := list(islice(waiting, BATCH)):
        db.session.execute(insert(model.__table__), batch)  # type: ignore[arg-type]
        count += len(batch)
    return count


def add_accounts(password: str) -> dict[str, int]:
    """Those who sign in: the id of each by user name.

    Not by `create_user`, which commits each and makes a slow hash for each: one transaction loads
    the sample unit or leaves nothing of it.
    """
    hashed = hash_password(password)
    made = {}
    for username, name in zip((MANAGER, *HANDLERS), (names.MANAGER, *names.HANDLERS), strict=True):
        role = Role.PROJECT_MANAGER if username == MANAGER else Role.HANDLER
        user = User(
            username=username,
            full_name=name.arabic,
            password_hash=hashed,
            role=role,
            created_at=db_now(),
        )
        db.session.add(user)
        db.session.flush()
        target = Target("user", user.id, username)
        record(db.session(), COMMAND_LINE, "user.created", target, {"role": role})
        made[username] = user.id
    return made


def add_unit(dice: random.Random, scale: int, today: date, accounts: dict[str, int]) -> list[Team]:
    """`scale` times 60 people, 80 dogs and 6 projects; the accounts belong to the first ones."""
    staff = _add_people(dice, scale, today, accounts)
    handlers, managers = staff[Work.HANDLER], _managers(staff[Work.MANAGER])
    dogs = _add_dogs(dice, scale, today, [person for person, _name in handlers])
    projects = _add_projects(scale, today, [person for person, _name in managers])
    places = _add_places(projects)
    teams, first = [], 0
    for number, project in enumerate(projects):
        size = TEAMS[number % len(TEAMS)]
        pairs = [(handlers[at][0], dogs[at]) for at in range(first, first + size)]
        teams.append(Team(project, managers[number][1], pairs, places[project]))
        first += size
    spare = dogs[len(handlers) : len(handlers) + RESERVE * len(projects)]
    insert_rows(Assignment, _assignments(teams, spare, today))
    return teams


def _managers(people: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Who manages each project: the one who signs in has two, so that one has no project yet."""
    return [people[0] if number == SECOND_OF_MANAGER else one for number, one in enumerate(people)]


def _add_people(
    dice: random.Random, scale: int, today: date, accounts: dict[str, int]
) -> dict[Work, list[tuple[int, str]]]:
    """Id and name of each person by their work."""
    works = list(chain.from_iterable(repeat(work, n * scale) for work, n in STAFF.items()))
    known = {Work.MANAGER: [names.MANAGER], Work.HANDLER: [*names.HANDLERS]}
    signing = {Work.MANAGER: [MANAGER], Work.HANDLER: [*HANDLERS]}
    invented = iter(names.people(len(works)))
    rows: list[dict[str, Any]] = []
    for number, work in enumerate(works, 1):
        own, user = known.get(work), signing.get(work)
        name = own.pop(0) if own else next(invented)
        account = accounts[user.pop(0)] if user else None
        rows.append(_person(number, name, work, account, today, dice))
    insert_rows(Person, rows)
    found: dict[Work, list[tuple[int, str]]] = {work: [] for work in STAFF}
    query = select(Person.id, Person.name, Person.work).order_by(Person.id)
    for id_, full_name, title in db.session.execute(query):
        found[Work(title)].append((id_, full_name))
    return found


def _person(
    number: int, name: Name, work: Work, account: int | None, today: date, dice: random.Random
) -> dict[str, Any]:
    return {
        "number": f"P-{number:04}",
        "name": name.arabic,
        "name_en": name.english,
        "work": work,
        "phone": f"+966 50 000 {number % 10_000:04}",
        "hired_on": today - timedelta(days=dice.randint(500, 4000)),
        "active": True,
        "user_id": account,
    }


def _add_dogs(dice: random.Random, scale: int, today: date, handlers: list[int]) -> list[int]:
    """Ids of the dogs: those of the handlers first, then the reserve, then those of no project."""
    reserve = (DOGS - STAFF[Work.HANDLER] - sum(n for _, n, _ in OTHER_DOGS)) * scale
    others: Iterator[tuple[DogStatus, int]] = (
        (status, years) for status, n, years in OTHER_DOGS for _ in range(n * scale)
    )
    kinds = chain(repeat((DogStatus.ACTIVE, 3), len(handlers) + reserve), others)
    rows = [
        _dog(
            number, status, years, handlers[number] if number < len(handlers) else None, today, dice
        )
        for number, (status, years) in enumerate(kinds)
    ]
    insert_rows(Dog, rows)
    return list(db.session.scalars(select(Dog.id).order_by(Dog.id)))


def _dog(
    number: int,
    status: DogStatus,
    years: int,
    handler: int | None,
    today: date,
    dice: random.Random,
) -> dict[str, Any]:
    name, is_female = names.dog(number)
    breed = dice.randrange(len(names.BREEDS))
    weight = Decimal(dice.randint(240, 310) - 40 * is_female) / 10
    return {
        "code": f"K9-{number + 1:03}",
        "name": name.arabic,
        "name_en": name.english,
        "breed": names.BREEDS[breed],
        "sex": Sex.FEMALE if is_female else Sex.MALE,
        "born_on": today - timedelta(days=365 * years + dice.randint(0, 1200)),
        "microchip": f"900{dice.randrange(10**6):06}{number:06}",
        "specialty": list(Specialty)[number % len(Specialty)],
        "status": status,
        "fitness": _fitness(number, status),
        "weight_kg": weight,
        "notes": "",
        "handler_id": handler,
    }


def _fitness(number: int, status: DogStatus) -> Fitness:
    place = number % STAFF[Work.HANDLER]
    if status in (DogStatus.RETIRED, DogStatus.DECEASED) or place in UNFIT:
        return Fitness.UNFIT
    return Fitness.LIGHT if place in LIGHT else Fitness.FIT


def _add_projects(scale: int, today: date, managers: list[int]) -> list[int]:
    rows = []
    for number, manager in enumerate(managers):
        round_, place = divmod(number, len(TEAMS))
        name, more = names.PROJECTS[place], f" {round_ + 1}" if round_ else ""
        rows.append({
            "code": CODES[place] + more.replace(" ", "-"),
            "name": name.arabic + more,
            "name_en": name.english + more,
            "status": ProjectStatus.ACTIVE,
            "starts_on": today - timedelta(days=400 + 30 * place),
            "ends_on": today + timedelta(days=200 + 60 * place) if place % 2 else None,
            "notes": "",
            "manager_id": manager,
        })  # fmt: skip
    insert_rows(Project, rows)
    return list(db.session.scalars(select(Project.id).order_by(Project.id)))


def _add_places(projects: list[int]) -> dict[int, list[int]]:
    """The ids of each project's places."""
    insert_rows(
        Place,
        (
            {"project_id": project, "name": name.arabic, "name_en": name.english, "active": True}
            for project in projects
            for name in names.PLACES
        ),
    )
    found: dict[int, list[int]] = {project: [] for project in projects}
    for place, project in db.session.execute(select(Place.id, Place.project_id).order_by(Place.id)):
        found[project].append(place)
    return found


def _assignments(teams: list[Team], spare: list[int], today: date) -> Iterator[dict[str, Any]]:
    """Who belongs to each project since a year, and one handler who was with another before."""
    since = today - timedelta(days=365)
    for number, team in enumerate(teams):
        for person, dog in team.handlers:
            yield _assignment(team.project, since, person=person)
            yield _assignment(team.project, since, dog=dog)
        for dog in spare[number * RESERVE : (number + 1) * RESERVE]:
            yield _assignment(team.project, since, dog=dog)
        before = teams[number - 1]
        person, dog = team.handlers[-1]
        ended = since - timedelta(days=1)
        start = since - timedelta(days=200)
        yield _assignment(before.project, start, person=person, to=ended)
        yield _assignment(before.project, start, dog=dog, to=ended)


def _assignment(
    project: int,
    since: date,
    *,
    person: int | None = None,
    dog: int | None = None,
    to: date | None = None,
) -> dict[str, Any]:
    ids = {"project_id": project, "person_id": person, "dog_id": dog}
    return {**ids, "from_on": since, "to_on": to}
