"""Who sees which people and dogs. A higher floor brings the rules; without one nobody is seen."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, false

from k9ops.core.db import Base

_rules: dict[type[Base], Callable[[], ColumnElement[bool]]] = {}


def limit_sight(table: type[Base], rule: Callable[[], ColumnElement[bool]]) -> None:
    """Let `rule` say which rows of `table` the person of the request may see."""
    _rules[table] = rule


def in_sight(table: type[Any]) -> ColumnElement[bool]:
    """The rows of `table` that the person of this request may see."""
    rule = _rules.get(table)
    return rule() if rule else false()
