"""Restoring a backup into the live database, while others use it: wholly old, then wholly new.

docs/architecture.md tells why it is done so; the steps stand in the journal (`journal.py`).
"""

import logging
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from k9ops.audit.services import COMMAND_LINE, Actor
from k9ops.backups import ledger, making, services
from k9ops.backups.errors import Refused, RestoreFailed, RestoreRunning
from k9ops.backups.folder import Backup
from k9ops.backups.journal import LOCK, Journal, read
from k9ops.backups.making import Report
from k9ops.backups.queries import folder
from k9ops.backups.verifying import unpacked
from k9ops.core.clock import utcnow
from k9ops.core.db import db
from k9ops.core.errors import K9Error, Unavailable
from k9ops.core.files import locked
from k9ops.core.migrations import current_head, known_revisions, upgrade
from k9ops.integrations import postgresql, sqlite

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Preview:
    """What a restore would do, for the person to confirm."""

    backup: Backup
    #: Tables and rows that the live database has now; none if it is missing or empty.
    live_tables: int


def preview_restore(file: str) -> Preview:
    """Look at what would be restored, and over what; changes nothing.

    Raises:
        UnknownBackup, Refused, Unavailable: it cannot be restored.
    """
    backup = folder().find(file)
    _require_fitting(backup)
    return Preview(backup, len(_live_tables()))


def restore_backup(file: str, actor: Actor = COMMAND_LINE) -> dict[str, Any]:
    """Replace the live database, be it missing, empty or filled, by the backup that `file` names.

    What is live is backed up first. Killed at any moment, the live data is wholly old or wholly
    new; then simply restore again.

    Raises:
        UnknownBackup, Refused: the backup is not whole or not for this database.
        RestoreRunning: another restore is under way.
        RestoreFailed: the live data is as it was.
    """
    instance = Path(current_app.instance_path)
    with _only_one(instance):
        return restore_noted(Journal.begin(instance, file), actor)


def restore_noted(journal: Journal, actor: Actor) -> dict[str, Any]:
    """As above, for whoever holds the lock of restores and has begun the journal."""
    try:
        result = _restore(journal, actor)
    except BaseException as error:
        outcome = "refused" if isinstance(error, Refused) else "failed"
        code = error.code if isinstance(error, K9Error) else "failed"
        journal.end(outcome, str(error) or type(error).__name__, code=code)
        raise
    journal.end("restored", result=result)
    return result


def _restore(journal: Journal, actor: Actor) -> dict[str, Any]:
    started, started_at, file = time.monotonic(), utcnow(), str(journal.document["file"])

    def step(name: str, **detail: Any) -> None:
        journal.step(name, **detail)
        logger.info("restore: %s", name)

    step("verify")
    with services.verified(file, journal.progress) as (backup, whole):
        _require_fitting(backup)
        with _only_one_of_the_server():
            step("prepare")
            safety = _make_safety_backup(journal.progress)
            step("replace", safety_backup=safety)
            _replace(backup, whole, journal.progress)
    upgraded = backup.manifest.migration_head != current_head()
    step("upgrade" if upgraded else "replaced")
    if upgraded:
        _upgrade(backup)
    step("record")
    result = {
        "file": backup.file,
        "created_at": backup.created_at.isoformat(),
        "rows": backup.rows,
        "migration_head": current_head(),
        "upgraded": upgraded,
        "safety_backup": safety,
        "duration_seconds": round(time.monotonic() - started, 3),
    }
    reason = str(journal.document.get("reason", ""))
    done = ledger.RestoreRecord(backup.file, started_at, utcnow(), result, reason)
    with Session(db.engine) as session:
        run_id = ledger.write_record(session, done, actor)
        session.commit()
    return {"outcome": "restored", "run_id": run_id, **result}


@contextmanager
def _only_one(instance: Path) -> Generator[None]:
    """Two restores of this copy never run at once; of one that died it is told."""
    with locked(instance / LOCK, wait=False) as is_first:
        if not is_first:
            raise running()
        warn_of_dead(instance)
        yield


def warn_of_dead(instance: Path) -> None:
    """Log what became of the last restore, if it was killed."""
    last = read(instance)
    if last and last["outcome"] is None:
        steps = ", ".join(step["step"] for step in last["steps"])
        logger.warning("the restore of %s died; its steps: %s", last["file"], steps)


@contextmanager
def _only_one_of_the_server() -> Generator[None]:
    """Nor do two into one database of a server, from wherever; makes it if it is missing."""
    url = db.engine.url
    if db.engine.dialect.name == "sqlite":
        yield
        return
    if not postgresql.database_exists(url):
        postgresql.create_database(url)
    with postgresql.only_restore(url) as is_only:
        if not is_only:
            raise running()
        yield


def running() -> RestoreRunning:
    """The error of a second restore."""
    hint = "Wait for its end; restore-journal.json in the instance folder tells its steps."
    return RestoreRunning("Another restore is under way.", hint=hint)


def _require_fitting(backup: Backup) -> None:
    manifest, live = backup.manifest, making.kind_of(db.engine)
    if manifest.database != live:
        message = f"{backup.file} is a backup of {manifest.database}, DATABASE_URL is {live}."
        hint = "Restore it with a DATABASE_URL of its own kind."
        raise Refused(message, code="other_database", field="file", hint=hint)
    if manifest.migration_head is None and manifest.tables:
        message = f"{backup.file} has tables but names no migration, so nothing can be made of it."
        raise Refused(message, code="unknown_schema", field="file")
    if manifest.migration_head and manifest.migration_head not in known_revisions():
        message = (
            f"{backup.file} stands at migration {manifest.migration_head}, which this version of"
            f" the application does not know; it was made by {manifest.application_version}."
        )
        hint = "Install that version of the application or a newer one, then restore."
        raise Refused(message, code="newer_schema", field="file", hint=hint)


def _live_tables() -> list[str]:
    """Tables of the live database; none if it is missing or empty."""
    try:
        if db.engine.dialect.name == "sqlite":
            return list(sqlite.count_rows(making.database_file(db.engine)))
        url = db.engine.url
        return postgresql.table_names(url) if postgresql.database_exists(url) else []
    except sqlite.NotADatabase as error:
        live = making.database_file(db.engine)
        message = f"{live} is no SQLite database or a damaged one ({error})."
        hint = "Nothing of it can be kept safe: move it away, then restore into the empty place."
        raise Unavailable(message, code="live_damaged", field="DATABASE_URL", hint=hint) from None


def _make_safety_backup(report: Report) -> str | None:
    """Back up what is live, if there is anything; the file's name."""
    if not _live_tables():
        return None
    try:
        return services.make_backup("", report, reason="safety").file
    except K9Error as error:
        message = f"Nothing was restored, because what is live could not be backed up: {error}"
        raise RestoreFailed(message, code=error.code, hint=error.hint) from error


def _replace(backup: Backup, whole: Path, report: Report) -> None:
    db.session.remove()
    db.engine.dispose()
    fix_ups = ledger.fix_ups(backup.manifest.tables)
    try:
        if backup.manifest.database == "sqlite":
            _fix_up(whole, fix_ups)
            live = making.database_file(db.engine)
            live.parent.mkdir(parents=True, exist_ok=True)
            sqlite.copy(whole, live)
        else:
            script = ledger.as_script(fix_ups, db.engine.dialect)
            postgresql.restore(db.engine.url, unpacked(backup, report), script)
    except (postgresql.ProgramFailed, sqlite.Fault) as error:
        hint = "The live data is as it was. Remove the cause, then restore again."
        raise RestoreFailed(f"The restore was undone: {error}.", hint=hint) from error


def _fix_up(plain: Path, statements: list[Any]) -> None:
    """Apply the fix-ups to the copy, so that the live file becomes new in one step."""
    with create_engine(f"sqlite:///{plain}", poolclass=NullPool).begin() as connection:
        for statement in statements:
            connection.execute(statement)


def _upgrade(backup: Backup) -> None:
    """Bring an older backup's tables up to this code."""
    try:
        upgrade()
    except (Exception, SystemExit) as error:
        message = f"{backup.file} is restored, but its tables could not be upgraded: {error}"
        raise RestoreFailed(message, code="not_upgraded", hint="Run `flask db upgrade`.") from error
