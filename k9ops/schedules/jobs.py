"""The automatic lock of days of duty."""

from typing import TYPE_CHECKING, Any

from k9ops.audit.services import Actor
from k9ops.core.clock import read_now
from k9ops.core.db import db
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.jobs import Cron, Retry, current_run, job
from k9ops.schedules.locking import days_to_lock, lock_if_over

if TYPE_CHECKING:
    from config import Settings

AUTO_LOCK = "schedules.auto_lock_schedules"


def lock_trigger(settings: "Settings") -> Cron:
    """SCHEDULE_AUTO_LOCK_HOUR and _MINUTE on the unit's clock."""
    minute, hour = settings.schedule_auto_lock_minute, settings.schedule_auto_lock_hour
    return Cron(f"{minute} {hour} * * *", settings.unit_timezone)


@job(
    AUTO_LOCK,
    title=_l("Lock days of duty"),
    queue="schedules",
    trigger=lock_trigger,
    timeout_seconds=900,
    soft_timeout_seconds=600,
    retry=Retry(attempts=3, delay_seconds=300),
)
def auto_lock_schedules() -> dict[str, Any]:
    """Lock every open day whose last shift has ended, those of earlier days too.

    A day that was opened again stays open until its time. Each day is a transaction of its own.
    """
    run = current_run()
    days = days_to_lock(read_now(db.session()))
    db.session.rollback()
    actor = Actor(f"{AUTO_LOCK} {run.id}".strip())
    locked = 0
    for number, day in enumerate(days):
        run.progress(number, len(days), "Days")
        locked += lock_if_over(day, actor)
    return {"locked": locked, "found": len(days)}
