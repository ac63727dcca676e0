"""The filters of a list: all of them stand in the address."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import request

from k9ops.core.paging import Order, row_key
from k9ops.core.settings import current_settings

LONGEST_SEARCH = 100
#: Days beyond these are mistyped, and some of them no database takes.
FIRST_YEAR, LAST_YEAR = 1900, 2200


@dataclass(frozen=True)
class Choice:
    """One filter: its name in the address, its title, its options and the chosen one."""

    name: str
    title: Any
    options: Mapping[Any, Any]
    value: str


def choice(name: str, title: Any, options: Mapping[Any, Any]) -> Choice:
    """The filter as this request's address sets it; an unknown value counts as not set."""
    value = request.args.get(name, "")
    return Choice(name, title, options, value if value in options else "")


@dataclass(frozen=True)
class Day:
    """A filter by a day of the calendar: its name in the address, its title, the chosen day."""

    name: str
    title: Any
    date: date | None

    @property
    def value(self) -> str:
        return self.date.isoformat() if self.date else ""

    @property
    def begins(self) -> datetime | None:
        """Its midnight on the unit's clock."""
        return _midnight(self.date) if self.date else None

    @property
    def ends(self) -> datetime | None:
        """The midnight after it."""
        return _midnight(self.date + timedelta(days=1)) if self.date else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), current_settings().zone)


def day_choice(name: str, title: Any) -> Day:
    """The day as this request's address sets it; what is no day of our times counts as not set."""
    try:
        day = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return Day(name, title, None)
    return Day(name, title, day if FIRST_YEAR <= day.year <= LAST_YEAR else None)


def search_words() -> str:
    """What is searched for, fit to be asked of any database."""
    return request.args.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]


def sorted_by(*heads: str, default: str = "") -> Order:
    """How the address sorts the list: `sort=name`, or `sort=-name` for the largest first.

    Unsorted, or by a head that is none, it is by `default`, else by the first head.
    """
    asked = request.args.get("sort", "")
    usual = default or heads[0]
    known = asked if asked.removeprefix("-") in heads else usual
    return Order(known.removeprefix("-"), known.startswith("-"), usual=known == usual)


def page_number(name: str = "page") -> int:
    return request.args.get(name, 1, type=row_key)
