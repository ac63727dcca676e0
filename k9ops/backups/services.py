"""Making backups, keeping the right ones, verifying them."""

import logging
import os
import shutil
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import k9ops
from k9ops.backups import making, uploading, verifying
from k9ops.backups.errors import BackupFailed, Refused, explained, no_space
from k9ops.backups.folder import Backup, BackupFolder, name_for
from k9ops.backups.making import Report, silent
from k9ops.backups.manifest import Manifest, Refusal
from k9ops.backups.queries import folder, kept_names
from k9ops.core.clock import utcnow
from k9ops.core.db import db, new_id
from k9ops.integrations.zstd import Packer

logger = logging.getLogger(__name__)

#: A copy of what was live before a restore is kept so long, whatever the rules of retention.
SAFETY_KEPT = timedelta(days=30)


def run_backup(run_id: str, report: Report, *, upload: bool) -> dict[str, Any]:
    """Make the backup of a run, remove those that need not be kept, upload it; safe to repeat.

    The result is that of the job; a failed upload is no error, but stands in it.
    """
    backup = make_backup(run_id, report)
    removed = remove_old()
    logger.info("backup %s: %s rows, %s bytes", backup.file, backup.rows, backup.manifest.bytes)
    uploaded = uploading.upload_backup(backup) if upload else uploading.Upload()
    return {
        "file": backup.file,
        "bytes": backup.manifest.bytes,
        "rows": backup.rows,
        "sha256": backup.manifest.sha256,
        "removed": removed,
        **uploaded.as_dict(),
    }


def make_backup(
    run_id: str = "", report: Report = silent, reason: Literal["run", "safety"] = "run"
) -> Backup:
    """Back the live database up into BACKUP_DIR; a run that has its backup gets that one.

    Raises:
        Unavailable: no folder, no space, or no pg_dump.
        BackupFailed: the database could not be read.
    """
    run_id = run_id or new_id()
    backups = BackupFolder.opened(folder().path)
    if done := backups.of_run(run_id):
        return done
    last = backups.last_good()
    with explained(backups.path), backups.working() as beside:
        _require_space(backups.path, last)
        file = beside / "packed"
        manifest = _pack(file, run_id, reason, _scaled(report, last))
        # Also the last look at whether the run is still ours.
        report(manifest.plain_bytes, manifest.plain_bytes, "Written")
        return backups.publish(file, manifest)


def _scaled(report: Report, last: Backup | None) -> Report:
    """Report bytes against the size of the last backup, as long as that is a fair guess."""
    expected = last.manifest.plain_bytes if last else 0

    def told(done: float, total: float | None = None, text: str = "") -> None:
        report(done, expected if done < expected else None, text)

    return told


def _pack(file: Path, run_id: str, reason: Literal["run", "safety"], report: Report) -> Manifest:
    started = time.monotonic()
    engine = db.engine
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as target:
        packer = Packer(target)
        taken = making.read(
            engine, packer, file.parent, lambda: report(packer.plain_bytes, text="Written")
        )
        sha256 = packer.finish()
        target.flush()
        os.fsync(descriptor)
    kind = making.kind_of(engine)
    return Manifest(
        file=name_for(run_id, kind, taken.created_at),
        database=kind,
        database_version=taken.database_version,
        application_version=k9ops.__version__,
        migration_head=taken.migration_head,
        tables=taken.tables,
        bytes=packer.bytes,
        sha256=sha256,
        plain_bytes=packer.plain_bytes,
        created_at=taken.created_at,
        duration_seconds=round(time.monotonic() - started, 3),
        run_id=run_id,
        reason=reason,
    )


def _require_space(path: Path, last: Backup | None) -> None:
    """Refuse early what would fill the disk: half as much again as the last one took."""
    needed = 1.5 * last.manifest.bytes if last else 0
    if making.kind_of(db.engine) == "sqlite":
        needed += _present(making.database_file(db.engine)).stat().st_size
    if shutil.disk_usage(path).free < needed:
        raise no_space(path, needed)


def _present(live: Path) -> Path:
    if not live.is_file():
        message = f"There is no database at {live}."
        raise BackupFailed(message, code="no_database", hint="Check DATABASE_URL.")
    return live


def remove_old() -> list[str]:
    """Remove the backups that no rule of retention keeps; their names.

    Only files that we named ourselves, and only beside a good one that is newer. Refused ones
    stay for a person to look at.
    """
    backups, kept = folder(), kept_names()
    good = (backup for backup in backups.backups() if backup.is_good and backup.is_ours)
    removed = [one for one in good if one.file not in kept and not _is_young_safety(one)]
    for backup in removed:
        backups.remove(backup)
        logger.info("removed %s: no rule of retention keeps it", backup.file)
    return [backup.file for backup in removed]


def _is_young_safety(backup: Backup) -> bool:
    """Whether it holds what was live before a recent restore: no newer backup holds that."""
    return backup.manifest.reason == "safety" and utcnow() - backup.created_at < SAFETY_KEPT


def verify_backup(file: str, report: Report = silent) -> Backup:
    """Check everything that can be checked without a server, and note it in the manifest.

    `file` is `latest`, a name in BACKUP_DIR, or a path.

    Raises:
        UnknownBackup: there is no such file.
        Refused: it is not whole; the code says what is wrong.
    """
    with verified(file, report) as (backup, _):
        return backup


@contextmanager
def verified(file: str, report: Report = silent) -> Generator[tuple[Backup, Path]]:
    """Verify as above; the block has the backup and its decoded database (SQLite) or its file."""
    backup = folder().find(file)
    with ExitStack() as stack:
        try:
            whole = stack.enter_context(verifying.checked(backup, report))
        except Refused as error:
            refusal = Refusal(code=error.code, message=error.message, at=utcnow())
            _note(backup, verified_at=None, refused=refusal)
            raise
        yield _note(backup, verified_at=utcnow(), refused=None), whole


def _note(backup: Backup, **changes: Any) -> Backup:
    """Note it in the manifest, if that can be written to."""
    try:
        return backup.noted(**changes)
    except OSError as error:
        logger.warning("%s.json could not be written: %s", backup.file, error.strerror)
        return backup
