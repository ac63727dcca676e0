"""What follows when a backup was made but not uploaded."""

from typing import Any

from sqlalchemy import Connection, Row

from k9ops.backups import words
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.jobs.signals import beside, run_fell_short
from k9ops.jobs.states import State
from k9ops.notifications.kinds import Kind, Params, register_kind
from k9ops.notifications.services import Message, notify_holders

#: Who can do something about it.
_TOLD = "backups.make"


def init_listeners() -> None:
    """Listen to the engine; safe to repeat."""
    register_kind(
        "backup.not_uploaded",
        Kind(
            icon="cloud-off",
            family="part",
            title=_l("A backup is not on Drive"),
            text=_l("%(file)s is good, but it was not uploaded: %(why)s"),
            words=_in_words,
        ),
    )
    run_fell_short.connect(tell_of_upload)


def tell_of_upload(_job_name: str, *, connection: Connection, run: Row[Any]) -> None:
    """Tell administrators, in the transaction that ends the run; each end of it once."""
    if run.state != State.PARTIAL or not words.is_upload_fault(run.error_code):
        return
    message = Message(
        kind="backup.not_uploaded",
        url=f"/runs/{run.id}",
        params={"file": run.result["file"], "code": run.error_code},
        dedupe_key=f"backup.not_uploaded:{run.id}:{run.attempts_made}",
    )
    with beside(connection) as session:
        notify_holders(session, _TOLD, message)


def _in_words(params: Params) -> Params:
    return {**params, "why": words.upload_fault(params["code"])}
