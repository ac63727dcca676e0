"""Whether there is a good backup that is young enough, and the programs to make the next."""

import shutil
from datetime import timedelta

from k9ops.backups.queries import last_good
from k9ops.core.clock import utcnow
from k9ops.core.health import DEGRADED, OFF, OK, Check
from k9ops.core.settings import current_settings

#: How old the last good backup may be: its period and two hours to make it in.
LONGEST = {
    "daily": timedelta(days=1, hours=2),
    "weekly": timedelta(days=7, hours=2),
    "monthly": timedelta(days=31, hours=2),
}


def last_backup_check() -> Check:
    """For `/readyz`."""
    settings = current_settings()
    newest = last_good()
    age = utcnow() - newest.manifest.created_at if newest else None
    seconds = age.total_seconds() if age else None
    if not settings.is_sqlite and not shutil.which("pg_dump"):
        return Check(DEGRADED, "pg_dump is missing: no backup can be made.", seconds)
    if settings.backup_frequency == "off":
        return Check(OFF, "Automatic backups are switched off.", seconds)
    if age is None:
        return Check(DEGRADED, "There is no good backup yet.")
    if age > LONGEST[settings.backup_frequency]:
        return Check(DEGRADED, "The last good backup is too old.", seconds)
    return Check(OK, "The last good backup is young enough.", seconds)
