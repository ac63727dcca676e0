"""The job that cancels or retries many runs while nobody waits for it."""

from typing import Any, Literal

from k9ops.audit.services import Actor
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.jobs import current_run, job
from k9ops.jobs.queries import get_run
from k9ops.monitoring import bulk

CHANGE_MANY = "monitoring.change_many_runs"


@job(
    CHANGE_MANY,
    title=_l("Cancel or retry many runs"),
    timeout_seconds=3600,
    soft_timeout_seconds=3500,
    arguments={
        "deed": _l("What to do"),
        "wanted": _l("Filter of the runs"),
        "until": _l("The newest run that is meant"),
    },
)
def change_many_runs(
    deed: Literal["cancel", "retry"], wanted: dict[str, Any], until: str
) -> dict[str, int]:
    """Do it with all runs up to `until` that the filter matches; safe to do again.

    What cannot be done any more is counted by its reason.
    """
    run = current_run()
    by = get_run(run.id).requested_by or CHANGE_MANY
    which = bulk.Which(wanted=bulk.from_json(wanted), until=until)
    total = bulk.possible(deed, bulk.count_by_state(which))
    outcome = bulk.do(
        deed,
        (one for one in bulk.ids_of(deed, which) if one != run.id),
        Actor(by),
        lambda number: run.progress(number, max(total, number), "Runs"),
    )
    return {"done": outcome.done, "not_possible": outcome.refused.total(), **outcome.refused}
