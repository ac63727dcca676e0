"""The board of jobs as a list: narrowed, sorted, taken along as a file."""

from collections.abc import Callable
from typing import Any

from k9ops.core.i18n import lazy_gettext as _l
from k9ops.core.paging import Order, in_order
from k9ops.core.spelling import has_words
from k9ops.monitoring import words
from k9ops.monitoring.queries import Board, BoardRow
from k9ops.web.exports import Column

#: What the board is sorted by; those in trouble stand first unless somebody asks otherwise.
HEADS: dict[str, Callable[[BoardRow], Any]] = {
    "health": lambda row: row.order,
    "job": lambda row: str(row.title),
    "success": lambda row: row.success,
    "last": lambda row: row.last and row.last.queued_at,
    "next": lambda row: row.next_due,
}


def chosen(board: Board, health: str, search: str, order: Order) -> list[BoardRow]:
    """The rows of that health, with these words in their name or title."""
    rows = [row for row in board.of(health) if has_words(f"{row.name} {row.title}", search)]
    return in_order(rows, HEADS[order.by], order)


def _of_last(name: str, known: Any) -> Callable[[BoardRow], Any]:
    """What the last run says under that name, in words."""
    return lambda row: known.get(getattr(row.last, name)) if row.last else None


COLUMNS: list[Column[BoardRow]] = [
    Column(_l("Job"), lambda row: row.title),
    Column(_l("Name"), lambda row: row.name),
    Column(_l("Health"), lambda row: words.HEALTH[row.health].text),
    Column(_l("Success, percent"), lambda row: row.success and round(row.success * 100, 1)),
    Column(_l("Usually took, seconds"), lambda row: row.usual_seconds),
    Column(_l("Took at most, seconds"), lambda row: row.worst_seconds),
    Column(_l("Last run"), lambda row: row.last and (row.last.started_at or row.last.queued_at)),
    Column(_l("State"), _of_last("state", {key: word.text for key, word in words.STATES.items()})),
    Column(_l("Path"), _of_last("path", words.PATHS)),
    Column(_l("Reason"), _of_last("reason", words.REASONS)),
    Column(_l("Next"), lambda row: row.next_due),
    Column(_l("Schedule"), lambda row: words.trigger(row.task) if row.task else None),
]
