"""The sample unit: people, dogs, projects, days of duty, what people were told, a month of runs.

All invented, and the same each time save the dates, which follow today.
"""

import random
from dataclasses import dataclass

from sqlalchemy import exists, or_, select

from k9ops.accounts.passwords import make_up_password
from k9ops.accounts.queries import find_user
from k9ops.core.clock import read_now
from k9ops.core.db import db
from k9ops.core.errors import Conflict
from k9ops.core.settings import current_settings
from k9ops.kennel.models import Dog
from k9ops.people.models import Person
from k9ops.projects.models import Project
from k9ops.sample import duty, history, telling, unit
from k9ops.schedules.models import Shift


@dataclass(frozen=True)
class Loaded:
    """What was loaded; `accounts` are the names to sign in with, all with the same password."""

    accounts: list[str]
    password: str
    people: int
    dogs: int
    projects: int
    days: int
    duties: int
    notifications: int
    runs: int


def load_sample(scale: int = 1) -> Loaded:
    """Load the sample unit, `scale` times as large and with as many months of background work.

    Raises:
        Conflict: it was loaded before, or there is a unit that it would mix with.
    """
    _check_empty()
    dice = random.Random(9)  # noqa: S311  (no secret; the same each time)
    now = read_now(db.session())
    password = make_up_password()
    accounts = unit.add_accounts(password)
    today = now.astimezone(current_settings().zone).date()
    teams = unit.add_unit(dice, scale, today, accounts)
    days, duties = duty.add_duty(dice, teams, now)
    runs = history.add_history(dice, scale)
    told = telling.add_notifications(dice, scale, now, accounts)
    loaded = Loaded(
        [*accounts], password, scale * unit.PEOPLE, scale * unit.DOGS, len(teams),
        days, duties, told, runs,
    )  # fmt: skip
    db.session.commit()
    return loaded


def _check_empty() -> None:
    if find_user(unit.MANAGER) is not None:
        raise Conflict("The sample unit is loaded already.", code="sample_loaded")
    filled = or_(
        *(exists().where(table.id.is_not(None)) for table in (Person, Dog, Project, Shift))
    )
    if db.session.scalar(select(filled)):
        hint = "Load it into an empty database."
        raise Conflict("This unit has data of its own.", code="unit_not_empty", hint=hint)
