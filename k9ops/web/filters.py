"""The filters of a list: all of them stand in the address."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import request

from k9ops.core.paging import Order, row_key

LONGEST_SEARCH = 100


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


def search_words() -> str:
    """What is searched for, fit to be asked of any database."""
    return request.args.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]


def sorted_by(*heads: str, default: str = "") -> Order:
    """How the address sorts the list: `sort=name`, or `sort=-name` for the largest first.

    Unsorted, or by a head that is none, it is by `default`, else by the first head.
    """
    asked = request.args.get("sort", "")
    known = asked if asked.removeprefix("-") in heads else default or heads[0]
    return Order(known.removeprefix("-"), known.startswith("-"))


def page_number(name: str = "page") -> int:
    return request.args.get(name, 1, type=row_key)
