"""The catalogue of reports: every one as its `@report` decorator describes it."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from k9ops.core.errors import BadInput
from k9ops.core.i18n import LazyString
from k9ops.core.i18n import gettext as _
from k9ops.reports.arguments import Argument
from k9ops.reports.errors import UnknownReport


@dataclass(frozen=True)
class Sheet:
    """What a report found, in the reader's language: a template and what it shows."""

    #: Name of the document for people.
    title: str
    #: File in `templates/reports/pdf`.
    template: str
    context: dict[str, Any] = field(default_factory=dict)
    #: Whoever may see the project may have the document; without one only who sees everything.
    project_id: int | None = None


@dataclass(frozen=True)
class Report:
    """One entry of the catalogue."""

    key: str
    title: LazyString
    function: Callable[..., Sheet]
    arguments: Mapping[str, Argument]

    def read(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The values of its arguments; one that is not given has its default.

        Raises:
            BadInput: one is unknown or wrong; it is named.
        """
        for name in given.keys() - self.arguments.keys():
            takes = ", ".join(self.arguments)
            hint = _("It takes %(names)s.", names=takes)
            message = _("%(report)s takes no %(name)s.", report=self.key, name=name)
            raise BadInput(message, code="bad_argument", field=name, hint=hint)
        return {
            name: kind.read(str(given.get(name) or "").strip())
            for name, kind in self.arguments.items()
        }

    def pinned(self, given: Mapping[str, Any]) -> dict[str, str]:
        """The arguments in full, so that a later run makes the same document.

        Raises as `read` does.
        """
        values = self.read(given)
        return {name: kind.write(values[name]) for name, kind in self.arguments.items()}


_catalogue: dict[str, Report] = {}


def report(
    key: str, *, title: LazyString, arguments: Mapping[str, Argument]
) -> Callable[[Callable[..., Sheet]], Callable[..., Sheet]]:
    """Make a function a report; it is called with the values of its arguments, by name."""

    def register(function: Callable[..., Sheet]) -> Callable[..., Sheet]:
        _catalogue[key] = Report(key, title, function, arguments)
        return function

    return register


def catalogue() -> dict[str, Report]:
    """All reports by key, in alphabetical order."""
    return dict(sorted(_catalogue.items()))


def get_report(key: str) -> Report:
    """The report of this key.

    Raises:
        UnknownReport: there is none; the hint names the nearest.
    """
    if key in _catalogue:
        return _catalogue[key]
    near = difflib.get_close_matches(key, _catalogue, n=1, cutoff=0.4)
    known = ", ".join(sorted(_catalogue))
    hint = _("Did you mean %(name)s?", name=near[0]) if near else ""
    hint = f"{hint} {_('There are: %(names)s.', names=known)}".strip()
    raise UnknownReport(_("There is no report %(key)s.", key=key), field="report", hint=hint)
