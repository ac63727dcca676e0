"""What people type, checked before it is kept: each rule stands once, for forms and services."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy.orm import InstrumentedAttribute

from k9ops.core.clock import utcnow
from k9ops.core.errors import BadInput
from k9ops.core.i18n import gettext as _
from k9ops.core.settings import current_settings

T = TypeVar("T")
#: Takes a value, raises BadInput or returns what is to be kept of it.
Check = Callable[[Any], Any]

#: NUL, other control signs and half signs, which no database or page takes; line breaks and tabs
#: are no fault of a long text.
_UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def line_of(column: InstrumentedAttribute[Any], *, required: bool = False) -> Check:
    """One line that fits the column; white space around and doubled is dropped, nothing is null."""
    longest = column.type.length
    empty = None if column.nullable else ""

    def check(value: str | None) -> str | None:
        text = " ".join(_fit(value or "", longest).split())
        if required and not text:
            raise BadInput(_("Fill this in."))
        return text or empty

    return check


def text_up_to(longest: int) -> Check:
    """Several lines, of `longest` characters at most."""
    return lambda value: _fit((value or "").replace("\r\n", "\n").strip(), longest)


def _fit(text: str, longest: int) -> str:
    if len(text) > longest:
        raise BadInput(_("At most %(n)s characters.", n=longest))
    if _UNFIT.search(text):
        raise BadInput(_("There are signs in this that cannot be kept. Type it again."))
    return text


def one_word_of(words: type[StrEnum]) -> Check:
    """One of the words of the list."""

    def check(value: str) -> str:
        if value not in list(words):
            raise BadInput(_("Choose one of the list."))
        return value

    return check


def number_between(low: str, high: str) -> Check:
    """A decimal number of two digits after the point, or none at all."""

    def check(value: Decimal | None) -> Decimal | None:
        if value is None:
            return None
        if not value.is_finite() or not Decimal(low) <= value <= Decimal(high):
            raise BadInput(_("Between %(low)s and %(high)s.", low=low, high=high))
        return value.quantize(Decimal("0.01"))

    return check


def not_after_today(day: date | None) -> date | None:
    """A day of the past, or of today on the unit's clock."""
    if day is not None and day > unit_today():
        raise BadInput(_("This day is still to come."))
    return day


def unit_today() -> date:
    """Today on the unit's clock."""
    return utcnow().astimezone(current_settings().zone).date()


def checked(values: T, checks: Mapping[str, Check]) -> T:
    """The dataclass with what the checks keep of its fields.

    Raises:
        BadInput: the first field at fault; it is named.
    """
    return replace(values, **{n: _named(n, c, getattr(values, n)) for n, c in checks.items()})  # type: ignore[type-var]


def _named(name: str, check: Check, value: Any) -> Any:
    try:
        return check(value)
    except BadInput as error:
        error.field = name
        raise
