"""The jobs: backing the database up, and verifying a backup."""

from typing import TYPE_CHECKING, Any

from k9ops.backups import queries, services
from k9ops.backups.errors import Refused, UnknownBackup
from k9ops.backups.folder import LATEST
from k9ops.core.errors import K9Error
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.jobs import Cron, Partial, PermanentError, Retry, current_run, job

if TYPE_CHECKING:
    from config import Settings

RUN_BACKUP = "backups.run_automated_backup"
VERIFY = "backups.verify_backup"
#: What another try would not change.
PERMANENT = ("no_pg_dump", "no_backup_dir")
UPLOAD_PERMANENT = (
    "drive_bad_key",
    "drive_unauthorised",
    "drive_forbidden",
    "drive_no_folder",
    "drive_quota",
)
#: Day of month and of week, per frequency; weeks begin on Sunday.
_DAYS = {"daily": "* * *", "weekly": "* * 0", "monthly": "1 * *"}


def automatic_trigger(settings: "Settings") -> Cron | None:
    """BACKUP_FREQUENCY at BACKUP_HOUR on the unit's clock; None where it is off."""
    days = _DAYS.get(settings.backup_frequency)
    return Cron(f"0 {settings.backup_hour} {days}", settings.unit_timezone) if days else None


@job(
    RUN_BACKUP,
    title=_l("Automatic backup"),
    queue="backups",
    trigger=automatic_trigger,
    timeout_seconds=1800,
    soft_timeout_seconds=1500,
    retry=Retry(attempts=3, delay_seconds=300),
    isolation="process",
    arguments={"upload": _l("Copy it to Google Drive, where that is set up")},
)
def run_automated_backup(upload: bool = True) -> dict[str, Any] | Partial:
    """Back the whole database up into BACKUP_DIR, then remove old backups by the rules of keeping.

    `upload` asks for a copy on Google Drive, where that is set up; old copies there are removed by
    the same rules. If only the upload fails, the run is partial. Executed again for the same run
    it finds the backup that is there, and the upload goes on where it stopped.
    """
    run = current_run()
    try:
        result = services.run_backup(run.id, run.progress, upload=upload)
    except K9Error as error:
        # The run keeps one text, so the remedy goes into it.
        text = f"{error.message} {error.hint}".strip()
        if error.code in PERMANENT:
            raise PermanentError(text, error.code) from error
        raise type(error)(text, code=error.code) from error
    return _partial(result, run.id) if result["upload"] == "failed" else result


def _partial(result: dict[str, Any], run_id: str) -> Partial:
    code, why = result["upload_error"], result.pop("upload_message")
    text = (
        f"The backup {result['file']} is good, but it was not uploaded. {why}"
        f" Then upload it, without another dump: `flask jobs retry {run_id}`."
    )
    return Partial(result, text, code, permanent=code in UPLOAD_PERMANENT)


@job(
    VERIFY,
    title=_l("Verify a backup"),
    arguments={"file": _l("File")},
    queue="backups",
    timeout_seconds=1800,
    soft_timeout_seconds=1500,
    isolation="process",
)
def verify_backup(file: str = LATEST) -> dict[str, Any]:
    """Decode the whole of a backup and compare it with its manifest; safe to repeat.

    `file` is a name in BACKUP_DIR or `latest`. What came of it is noted beside the backup; of one
    that is not whole the run fails with a code that tells why.
    """
    backups, run = queries.folder(), current_run()
    try:
        path = backups.find(file).path if file == LATEST else backups.named(file).path
        backup = services.verify_backup(str(path), run.progress)
    except (Refused, UnknownBackup) as error:
        raise PermanentError(error.message, error.code) from error
    return {"file": backup.file, "rows": backup.rows, "tables": len(backup.manifest.tables)}
