"""The filters of the runs page: all of them stand in the address."""

from datetime import timedelta
from typing import Any

from werkzeug.datastructures import MultiDict

from k9ops.core.clock import utcnow
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.jobs.queries import RunFilter
from k9ops.jobs.registry import titles
from k9ops.monitoring.words import PATHS, REASONS, STATES
from k9ops.web.filters import Choice

WHEN: dict[str, tuple[Any, timedelta]] = {
    "1h": (_l("last hour"), timedelta(hours=1)),
    "24h": (_l("last 24 hours"), timedelta(hours=24)),
    "7d": (_l("last 7 days"), timedelta(days=7)),
    "30d": (_l("last 30 days"), timedelta(days=30)),
    "90d": (_l("last 90 days"), timedelta(days=90)),
}
#: States that are asked for together.
STATE_GROUPS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "trouble": (_l("Failed, partial, missed"), ("failed", "partial", "missed")),
    "active": (_l("Queued, running"), ("queued", "running")),
}


def choices(args: "MultiDict[str, str]") -> list[Choice]:
    """The filters as the page draws them; unknown values count as not set."""
    states = {name: group[0] for name, group in STATE_GROUPS.items()}
    states |= {name: word.text for name, word in STATES.items()}
    offered: list[tuple[str, Any, dict[str, Any]]] = [
        ("job", _l("Job"), titles()),
        ("state", _l("State"), states),
        ("path", _l("Path"), PATHS),
        ("reason", _l("Reason"), REASONS),
        ("when", _l("When"), {name: words for name, (words, _span) in WHEN.items()}),
    ]
    return [
        Choice(name, title, options, value if (value := args.get(name, "")) in options else "")
        for name, title, options in offered
    ]


def run_filter(chosen: list[Choice], search: str) -> RunFilter:
    """The filter that these choices mean."""
    value = {choice.name: choice.value for choice in chosen}
    state, when = value["state"], value["when"]
    states = STATE_GROUPS[state][1] if state in STATE_GROUPS else (state,) if state else ()
    return RunFilter(
        job=value["job"],
        states=states,
        path=value["path"],
        reason=value["reason"],
        since=utcnow() - WHEN[when][1] if when else None,
        search=search.replace("\0", "").strip()[:100],
    )
