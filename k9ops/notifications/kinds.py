"""The kinds of notifications: each feature registers its own with its words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from k9ops.core.i18n import lazy_gettext as _l
from k9ops.notifications.models import Notification

Params = Mapping[str, Any]


def _as_they_are(params: Params) -> Params:
    return params


@dataclass(frozen=True)
class Kind:
    """Sign and words of a kind; `title` and `text` are lazy and take `%(param)s`."""

    icon: str
    #: Family of colours: ok, run, wait, part, bad, miss, off.
    family: str
    title: Any
    text: Any
    #: Turns stored params into words of the reader's language, when a text is made.
    words: Callable[[Params], Params] = _as_they_are
    #: What all of the kind are called, where the title has params.
    name: Any = ""


@dataclass(frozen=True)
class ShownNotification:
    """A notification in the words of the reader."""

    id: int
    icon: str
    family: str
    title: str
    text: str
    url: str
    created_at: datetime
    read_at: datetime | None

    @property
    def is_read(self) -> bool:
        return self.read_at is not None


#: Shown for rows of a kind that this version of the product does not know.
_UNKNOWN = Kind("bell", "off", _l("Notification"), _l("This kind of notification is not known."))
_kinds: dict[str, Kind] = {}


def register_kind(name: str, kind: Kind) -> None:
    """Make `name` known; registered again, the newer words hold."""
    _kinds[name] = kind


def is_known(name: str) -> bool:
    return name in _kinds


def kind_names() -> dict[str, Any]:
    """What the notifications of each kind are called."""
    return {name: kind.name or kind.title for name, kind in _kinds.items()}


def show(row: Notification) -> ShownNotification:
    """Put a row into words; a param that an older row lacks reads as a question mark."""
    kind = _kinds.get(row.kind, _UNKNOWN)
    words = _Forgiving(kind.words(_Forgiving(row.params)))
    return ShownNotification(
        id=row.id,
        icon=kind.icon,
        family=kind.family,
        title=str(kind.title) % words,
        text=str(kind.text) % words,
        url=row.url,
        created_at=row.created_at,
        read_at=row.read_at,
    )


class _Forgiving(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"
