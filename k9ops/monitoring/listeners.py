"""What follows from the engine's signals."""

from typing import Any

from sqlalchemy import Connection, Row
from sqlalchemy.orm import Session

from k9ops.accounts.sessions import current_actor
from k9ops.audit.services import Actor, Target, record
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.core.text import clean
from k9ops.jobs.models import PeriodicTask
from k9ops.jobs.registry import title_of
from k9ops.jobs.signals import beside, run_fell_short, task_changed
from k9ops.jobs.states import Edit, State
from k9ops.jobs.versions import terms_of
from k9ops.notifications.kinds import Kind, Params, register_kind
from k9ops.notifications.services import Message, notify_holders

#: Who keeps the jobs running hears of those that do not.
_TOLD = "runs.manage"


def init_listeners() -> None:
    """Listen to the engine; safe to repeat."""
    register_kind(
        "run.failed",
        Kind(
            icon="circle-x",
            family="bad",
            title=_l("%(job)s: failed"),
            text=_l("%(reason)s"),
            words=_job_title,
            name=_l("A run failed"),
        ),
    )
    run_fell_short.connect(tell_of_failure)
    task_changed.connect(audit_change)


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


def audit_change(
    name: str,
    *,
    session: Session,
    task: PeriodicTask,
    actor: str,
    kind: Edit,
    before: dict[str, Any],
) -> None:
    """Put a change of a periodic task on the audit trail, in the transaction that makes it."""
    now = terms_of(task)
    changes = {key: [before[key], now[key]] for key in now if before[key] != now[key]}
    known = current_actor()
    by = known if known.name == actor else Actor(actor)
    detail = {"version": task.version, "changes": changes}
    record(session, by, f"task.{kind}", Target("task", task.id, name), detail)


def _job_title(params: Params) -> Params:
    return {**params, "job": str(title_of(params["job"]))}
