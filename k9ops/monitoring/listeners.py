"""What follows from the engine's signals."""

from typing import Any

from sqlalchemy import Connection, Row

from k9ops.core.i18n import lazy_gettext as _l
from k9ops.core.text import clean
from k9ops.jobs.registry import catalogue
from k9ops.jobs.signals import beside, run_finished
from k9ops.jobs.states import State
from k9ops.notifications.kinds import Kind, Params, register_kind
from k9ops.notifications.services import Message, notify_holders

#: Who keeps the jobs running hears of those that do not.
_TOLD = "runs.manage"


def init_listeners() -> None:
    """Listen to the engine; safe to repeat."""
    register_kind(
        "run.failed", Kind("circle-x", "bad", _l("%(job)s: failed"), _l("%(reason)s"), _job_title)
    )
    run_finished.connect(tell_of_failure)


def tell_of_failure(_job_name: str, *, connection: Connection, run: Row[Any]) -> None:
    """Tell administrators, in the transaction that ends the run; each end of it once."""
    if run.state != State.FAILED:
        return
    reason = clean((run.error_message or run.error_code or "").strip().partition("\n")[0], 300)
    message = Message(
        kind="run.failed",
        url=f"/runs/{run.id}",
        params={"job": run.job, "reason": reason, "attempt": run.attempts_made},
        dedupe_key=f"run.failed:{run.id}:{run.attempts_made}",
    )
    with beside(connection) as session:
        notify_holders(session, _TOLD, message)


def _job_title(params: Params) -> Params:
    job = catalogue().get(params["job"])
    return {**params, "job": str(job.title) if job else params["job"]}
