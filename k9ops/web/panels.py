"""Parts of a page that features of higher floors hang into it: a person's projects, a dog's."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from k9ops.web.security import may


@dataclass(frozen=True)
class Panel:
    """A template that is drawn with what `load` knows of the page's subject."""

    template: str
    permission: str
    load: Callable[[Any], dict[str, Any]]
    #: Stands in the narrow column, where the page has one.
    aside: bool = False


_panels: dict[str, dict[str, Panel]] = {}


def add_panel(
    page: str,
    template: str,
    permission: str,
    load: Callable[[Any], dict[str, Any]],
    *,
    aside: bool = False,
) -> None:
    """Hang `template` into `page` for whoever holds `permission`; it finds `load`'s as `panel`."""
    _panels.setdefault(page, {})[template] = Panel(template, permission, load, aside)


def panels_of(page: str, subject: Any, *, aside: bool = False) -> list[tuple[str, dict[str, Any]]]:
    """Template and content of each panel of that column which the person may see."""
    found = [panel for panel in _panels.get(page, {}).values() if panel.aside == aside]
    return [(panel.template, panel.load(subject)) for panel in found if may(panel.permission)]
