"""The chrome of every page: the places a person may go to, the bell, the state of the house."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import current_app, request

from k9ops.core.i18n import lazy_gettext
from k9ops.core.once import once_a_page
from k9ops.web.links import page_url
from k9ops.web.security import may

GROUPS: dict[str, Any] = {
    "": "",
    "unit": lazy_gettext("Unit"),
    "control": lazy_gettext("Control room"),
    "admin": lazy_gettext("Administration"),
}


@dataclass(frozen=True)
class NavItem:
    """One place in the side bar; `phone` puts it into the bar at the bottom of a phone too."""

    endpoint: str
    label: Any
    icon: str
    permission: str
    group: str = ""
    phone: bool = False
    #: How many things there need a person; asked on every page, so it must be cheap.
    counter: Callable[[], int] | None = None

    @property
    def url(self) -> str:
        return page_url(self.endpoint)

    @property
    def count(self) -> int:
        return self.counter() if self.counter else 0


@dataclass(frozen=True)
class Sign:
    """A fact in words with its icon and its family of colours."""

    icon: str
    family: str
    text: Any
    #: What the fact is about, where it stands in a list of facts.
    label: Any = ""
    url: str = ""


@dataclass
class Chrome:
    """What features have hung into the chrome."""

    items: dict[str, NavItem]
    bell: tuple[str, Callable[[], int]] | None = None
    state: Callable[[], list[Sign]] | None = None


_chrome = Chrome(items={})


def nav_item(
    endpoint: str,
    label: Any,
    icon: str,
    permission: str,
    group: str = "",
    *,
    phone: bool = False,
    counter: Callable[[], int] | None = None,
) -> None:
    """Give a page its place in the navigation; items stand in the order of their registration."""
    item = NavItem(endpoint, label, icon, permission, group, phone, counter)
    _chrome.items[endpoint] = item


def show_bell(endpoint: str, unread: Callable[[], int]) -> None:
    """Lead the bell to `endpoint`; `unread` counts for the person of the request."""
    _chrome.bell = (endpoint, unread)


def show_state(state: Callable[[], list[Sign]]) -> None:
    """Show the state of the house: all facts on the sign-in page, the last in the top bar.

    They are public, so they must tell nothing of the unit.
    """
    _chrome.state = state


def visible_items() -> list[NavItem]:
    """The places that the person of this request may go to."""
    return once_a_page("places", _visible_items)


def _visible_items() -> list[NavItem]:
    known = current_app.view_functions
    return [i for i in _chrome.items.values() if i.endpoint in known and may(i.permission)]


def grouped_items() -> list[tuple[Any, list[NavItem]]]:
    """Title of each group, and its places; empty groups are not there."""
    items = visible_items()
    groups = [(title, [i for i in items if i.group == key]) for key, title in GROUPS.items()]
    return [(title, members) for title, members in groups if members]


def current_item() -> NavItem | None:
    """The place that this page belongs to: the longest address that begins the page's own."""
    fitting = [item for item in visible_items() if _is_under(item.url)]
    return max(fitting, key=lambda item: len(item.url), default=None)


def _is_under(url: str) -> bool:
    return request.path == url or (url != "/" and request.path.startswith(f"{url}/"))


def bell() -> tuple[str, int] | None:
    """Address and count of the bell, if there is one in this application."""
    if _chrome.bell is None or _chrome.bell[0] not in current_app.view_functions:
        return None
    endpoint, unread = _chrome.bell
    return page_url(endpoint), unread()


def state_facts() -> list[Sign]:
    """What anybody may know of the system's state."""
    return _chrome.state() if _chrome.state else []


def state_sign() -> Sign | None:
    """The fact that stands in the top bar."""
    return next(reversed(state_facts()), None)
