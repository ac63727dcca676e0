"""Lists as files: CSV that Excel opens right in Arabic too, and sheets of Excel's own.

Features send them through `k9ops.audit.exports`, which notes who took what.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from io import StringIO
from itertools import islice
from typing import Any, Generic, TypeVar

from flask import Response, copy_current_request_context

from k9ops.core.checks import unit_today
from k9ops.core.errors import BadInput
from k9ops.core.i18n import direction, force_locale, language
from k9ops.core.i18n import gettext as _
from k9ops.web.formats import local, number

T = TypeVar("T")

#: What the addresses of exports end with.
KINDS = "<any(csv, xlsx):kind>"
#: Excel's own sheets are made in one piece; a longer list is a CSV file's work.
MOST_SHEET_ROWS = 10_000
_MIMETYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
#: So many lines of CSV are sent at once.
_LINES = 200
#: A cell that begins so is a formula to a program of sheets.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
#: Signs that pages need and files do not: fences of direction. Others no sheet takes.
_DROPPED = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127, 0x2068, 0x2069, 0xFFFE, 0xFFFF])


@dataclass(frozen=True)
class Column(Generic[T]):
    """One column: its head, and what a row says there: text, number, day, instant or nothing."""

    title: Any
    value: Callable[[T], Any]


def file_of(
    kind: str, name: str, title: str, columns: Sequence[Column[T]], rows: Iterable[T]
) -> Response:
    """A download of the rows, in the reader's language; `name` begins the file's, in ASCII.

    CSV is read and sent piece by piece.

    Raises:
        BadInput: more rows than a sheet takes; CSV takes all.
    """
    heads = [str(column.title) for column in columns]
    cells = ([_plain(column.value(row)) for column in columns] for row in rows)
    if kind == "csv":
        body: Any = _within_request(_csv(heads, cells))
    else:
        body = _sheet(title, heads, cells)
    file_name = f"{name}-{unit_today().isoformat()}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{file_name}"'}
    return Response(body, headers=headers, content_type=_MIMETYPES[kind])


def _plain(value: Any) -> Any:
    """The value as both kinds of files take it; instants on the unit's clock."""
    if isinstance(value, datetime):
        return local(value).replace(tzinfo=None, microsecond=0)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if value is None or isinstance(value, int | float | Decimal | date):
        return value
    text = str(value).translate(_DROPPED)
    return text.encode("utf-8", "replace").decode("utf-8")


def _csv(heads: list[str], rows: Iterator[list[Any]]) -> Iterator[str]:
    yield "\ufeff" + _lines([heads])  # the mark by which Excel knows UTF-8
    while some := list(islice(rows, _LINES)):
        yield _lines(some)


def _within_request(pieces: Iterator[str]) -> Iterator[str]:
    """The pieces, each made in the context of this request; none is left behind between two."""
    reader = language() or "ar"

    @copy_current_request_context
    def following() -> str | None:
        with force_locale(reader):
            return next(pieces, None)

    return iter(following, None)


def _lines(rows: Iterable[list[Any]]) -> str:
    buffer = StringIO()
    csv.writer(buffer).writerows([_harmless(value) for value in row] for row in rows)
    return buffer.getvalue()


def _harmless(value: Any) -> Any:
    """Text that no program takes for a formula."""
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return f"'{value}"
    return value


def _sheet(title: str, heads: list[str], rows: Iterator[list[Any]]) -> bytes:
    # Its library takes long to import, and few processes ever need it.
    from k9ops.web.sheets import sheet_of

    found = list(islice(rows, MOST_SHEET_ROWS + 1))
    if len(found) > MOST_SHEET_ROWS:
        text = _("An Excel sheet takes at most %(n)s rows.", n=number(MOST_SHEET_ROWS))
        raise BadInput(text, hint=_("Narrow the filters, or take the CSV file, which holds all."))
    return sheet_of(title, heads, found, right_to_left=direction() == "rtl")
