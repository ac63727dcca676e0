"""The search of the whole unit: each feature finds its own, for whoever may open its list."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for

from k9ops.web.nav import NavItem, visible_items

#: So many of a kind stand on the page; the kind's own list has the rest.
SHOWN = 5


@dataclass(frozen=True)
class Hit:
    """One thing that was found; `code` is what it is called by besides its name."""

    url: str
    name: Any
    code: str
    #: What else is told of it, in parts; empty ones are left out.
    about: Sequence[Any] = ()
    #: What stands at the end of its line: a `Word` or a `Sign`.
    sign: Any = None


@dataclass(frozen=True)
class Found:
    """The first of what was found of one kind; `total` is None where nobody counted."""

    hits: Sequence[Hit]
    total: int | None


@dataclass(frozen=True)
class Group:
    """What was found in one place of the navigation, and its list narrowed to the words."""

    place: NavItem
    found: Found
    url: str

    @property
    def has_more(self) -> bool:
        return self.found.total != len(self.found.hits)


_finders: dict[str, Callable[[str], Found]] = {}


def add_finder(endpoint: str, find: Callable[[str], Found]) -> None:
    """Let `find` look for words in what the list at `endpoint` shows to the person of the request.

    It is asked for whoever may open the list, which has its place in the navigation and takes `q`.
    """
    _finders[endpoint] = find


def search(words: str) -> list[Group]:
    """What the person of this request may see that has the words, in the order of the places."""
    places = [item for item in visible_items() if item.endpoint in _finders]
    groups = [_look(item, words) for item in places]
    return [group for group in groups if group.found.hits]


def _look(place: NavItem, words: str) -> Group:
    return Group(place, _finders[place.endpoint](words), url_for(place.endpoint, q=words))
