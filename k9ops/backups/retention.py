"""Which backups are kept: the last ones, and the last of each of so many days, weeks and months."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from config import Settings

Rule = Literal["last", "daily", "weekly", "monthly"]


@dataclass(frozen=True)
class Rules:
    """How many of each are kept; `last` is at least 1, so the newest always stays."""

    last: int
    daily: int
    weekly: int
    monthly: int

    @classmethod
    def of(cls, settings: "Settings") -> "Rules":
        return cls(
            settings.backup_keep_last,
            settings.backup_keep_daily,
            settings.backup_keep_weekly,
            settings.backup_keep_monthly,
        )


def _day(when: datetime) -> date:
    return when.date()


def _week(when: datetime) -> date:
    """The Sunday that the week began with."""
    return when.date() - timedelta(days=when.isoweekday() % 7)


def _month(when: datetime) -> date:
    return when.date().replace(day=1)


def kept(made: Mapping[str, datetime], rules: Rules, zone: ZoneInfo) -> dict[str, list[Rule]]:
    """The names that are kept, each with the rules that keep it; days are those of `zone`.

    A period counts only if it has a backup, and its last one stands for it. Each kind of database
    (what follows the first dot of a name) is apart: a unit that moves to another keeps the old.
    """
    kinds: dict[str, dict[str, datetime]] = defaultdict(dict)
    for name, when in made.items():
        kinds[name.partition(".")[2]][name] = when
    found: dict[str, list[Rule]] = {}
    for of_kind in kinds.values():
        found |= _kept_of_kind(of_kind, rules, zone)
    return found


def _kept_of_kind(
    made: Mapping[str, datetime], rules: Rules, zone: ZoneInfo
) -> dict[str, list[Rule]]:
    newest_first = sorted(made, key=lambda name: (made[name], name), reverse=True)
    local = {name: made[name].astimezone(zone) for name in newest_first}
    periods: list[tuple[Rule, int, Callable[[datetime], date]]] = [
        ("daily", rules.daily, _day),
        ("weekly", rules.weekly, _week),
        ("monthly", rules.monthly, _month),
    ]
    found: dict[str, list[Rule]] = {name: ["last"] for name in newest_first[: max(rules.last, 1)]}
    for rule, count, period in periods:
        last_of_each: dict[date, str] = {}
        for name in newest_first:
            last_of_each.setdefault(period(local[name]), name)
        for name in list(last_of_each.values())[:count]:
            found.setdefault(name, []).append(rule)
    return found
