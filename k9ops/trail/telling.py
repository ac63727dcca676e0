"""Entries of the audit log in words: who, what, and each value before and after."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from flask import current_app, url_for
from sqlalchemy import select

from k9ops.accounts.models import User
from k9ops.audit.models import AuditEntry
from k9ops.core.db import db
from k9ops.core.i18n import gettext as _
from k9ops.kennel.models import Dog
from k9ops.people.models import Person
from k9ops.projects.models import Place, Project
from k9ops.schedules.models import Shift
from k9ops.trail import acts, words
from k9ops.web.formats import isolated, named

#: The table that a column of a detail names a row of.
_TABLES: dict[str, Any] = {
    "handler_id": Person,
    "manager_id": Person,
    "person_id": Person,
    "replacement": Person,
    "replacement_id": Person,
    "dog_id": Dog,
    "project_id": Project,
    "place_id": Place,
    "shift_id": Shift,
    "user_id": User,
}
#: Which row of the day it was tells nobody anything.
_SILENT = ("item",)
_BATCH = 500
_Names = dict[tuple[Any, int], str]


@dataclass(frozen=True)
class Change:
    """One value; `old` is None where only the new one is known."""

    field: str
    old: str | None
    new: str


@dataclass(frozen=True)
class Told:
    """An entry as people read it."""

    entry: AuditEntry
    who: str
    what: str
    sentence: str
    changes: list[Change]
    url: str


def told(entries: Sequence[AuditEntry]) -> list[Told]:
    """The entries in the reader's language; the names in them are looked up together."""
    names = _names(_ids_in(entries))
    return [_tell(entry, names) for entry in entries]


def told_in_batches(entries: Iterator[AuditEntry]) -> Iterator[Told]:
    """The same for a file of many."""
    while some := list(islice(entries, _BATCH)):
        yield from told(some)


def _tell(entry: AuditEntry, names: _Names) -> Told:
    own = names.get((User, entry.actor_id)) if entry.actor_id else None
    who = own or acts.actor_name(entry.actor_name)
    what = words.thing_name(entry.target_kind, entry.target_name or entry.target_id)
    changes = [_change(entry.target_kind, name, value, names) for name, value in _shown(entry)]
    return Told(entry, who, what, _sentence(entry, who, what, changes), changes, _page_of(entry))


def _sentence(entry: AuditEntry, who: str, what: str, changes: list[Change]) -> str:
    """What happened; a single change is told in the sentence itself."""
    text = acts.sentence(entry.action, isolated(who), isolated(what))
    if len(changes) != 1 or changes[0].old is None:
        return text
    only = changes[0]
    values = {"field": only.field, "old": isolated(only.old), "new": isolated(only.new)}
    return _("%(text)s: %(field)s from %(old)s to %(new)s", text=text, **values)


def _change(kind: str, name: str, value: Any, names: _Names) -> Change:
    if _is_pair(value):
        old, new = (_value(kind, name, one, names) for one in value)
        return Change(words.field_title(kind, name), old, new)
    return Change(words.field_title(kind, name), None, _value(kind, name, value, names))


def _value(kind: str, name: str, value: Any, names: _Names) -> str:
    if name in _TABLES and isinstance(value, int):
        return names.get((_TABLES[name], value)) or f"#{value}"
    return words.value_text(kind, name, value)


def _shown(entry: AuditEntry) -> list[tuple[str, Any]]:
    """What of the detail says something: what was empty and stayed so does not."""
    pairs = entry.detail.items()
    return [(n, v) for n, v in pairs if n not in _SILENT and v is not None and not _is_empty(v)]


def _is_empty(value: Any) -> bool:
    return value in ("", [], {}) or (
        _is_pair(value) and not any(one not in (None, "") for one in value)
    )


def _is_pair(value: Any) -> bool:
    """Whether it is [before, after]."""
    return isinstance(value, list) and len(value) == 2


def _ids_in(entries: Iterable[AuditEntry]) -> dict[Any, set[int]]:
    """The keys of rows that stand in the entries, by their tables."""
    found: dict[Any, set[int]] = {}
    for entry in entries:
        if entry.actor_id:
            found.setdefault(User, set()).add(entry.actor_id)
        for name, value in _shown(entry):
            if name in _TABLES:
                ids = [
                    one for one in (value if _is_pair(value) else [value]) if isinstance(one, int)
                ]
                found.setdefault(_TABLES[name], set()).update(ids)
    return found


def _names(wanted: dict[Any, set[int]]) -> _Names:
    found: _Names = {}
    for table, ids in wanted.items():
        rows = db.session.scalars(select(table).where(table.id.in_(ids)))
        found |= {(table, row.id): _called(row) for row in rows}
    return found


def _called(row: Any) -> str:
    return row.display_name if isinstance(row, User) else named(row)


def _page_of(entry: AuditEntry) -> str:
    """Where the thing has a page of its own; else nothing."""
    endpoint, key = words.PAGES.get(entry.target_kind, ("", ""))
    if endpoint not in current_app.view_functions or not entry.target_id:
        return ""
    values: dict[str, Any] = {key: entry.target_id}
    return url_for(endpoint, **values)
