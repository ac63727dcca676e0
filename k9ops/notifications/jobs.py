"""The weekly cleanup, and the mails."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from k9ops.core.i18n import lazy_gettext as _l
from k9ops.core.settings import current_settings
from k9ops.jobs import Cron, Partial, Retry, current_run, job
from k9ops.notifications import mails
from k9ops.notifications.cleanup import delete_read

if TYPE_CHECKING:
    from config import Settings

CLEAN_UP = "notifications.cleanup_old_notifications"
#: What is left after it waits for the next try, or the next week.
BUDGET_SECONDS = 900
MOST_DAYS = 3650


def cleanup_trigger(settings: "Settings") -> Cron:
    """Mondays at 02:00 on the unit's clock."""
    return Cron("0 2 * * 1", settings.unit_timezone)


@job(
    CLEAN_UP,
    title=_l("Clean up notifications"),
    queue="notifications",
    trigger=cleanup_trigger,
    timeout_seconds=1800,
    soft_timeout_seconds=1500,
    retry=Retry(attempts=2, delay_seconds=600),
    arguments={
        "days": _l("Days since they were read (empty: as the settings say)"),
        "dry_run": _l("Only count, delete nothing"),
        "budget_seconds": _l("Stop after so many seconds"),
    },
)
def cleanup_old_notifications(
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] | None = None,
    dry_run: bool = False,
    budget_seconds: Annotated[float, Field(ge=0)] = BUDGET_SECONDS,
) -> dict[str, Any] | Partial:
    """Delete notifications that were read more than `days` days ago; unread ones stay.

    `days` is NOTIFICATION_RETENTION_DAYS unless given. `dry_run` only counts. After
    `budget_seconds` it stops and tells how many are left; another run goes on.
    """
    run = current_run()
    found = delete_read(
        days or current_settings().notification_retention_days,
        lambda done, total, rows: run.progress(done, total, f"{rows:,} rows"),
        dry_run=dry_run,
        budget_seconds=budget_seconds,
    )
    result = {
        "deleted": found.deleted,
        "left": found.left,
        "read_before": found.read_before.isoformat(),
        "dry_run": dry_run,
    }
    if found.left and not dry_run:
        return Partial(result, f"The time was up with {found.left:,} left; another run goes on.")
    return result


@job(
    mails.SEND,
    title=_l("Send a notification by mail"),
    queue="notifications",
    timeout_seconds=120,
    arguments={"notification_id": _l("Number of the notification"), "to": _l("E-mail address")},
)
def send_by_mail(notification_id: int, to: str | None = None) -> dict[str, Any]:
    """Send a notification to its person by mail, in the language that they chose.

    It goes `to` the address that they had when it was written, if that is given.
    """
    return {"sent": mails.send(notification_id, to)}
