"""A restore in a process of its own: neither a page's time limit nor the server's end stops it."""

import json
import logging
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from flask import current_app
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from k9ops.audit.services import Actor
from k9ops.backups import ledger
from k9ops.backups.errors import RestoreFailed
from k9ops.backups.folder import Backup
from k9ops.backups.journal import LOCK, Journal
from k9ops.backups.restoring import restore_noted, running, warn_of_dead
from k9ops.core.db import db
from k9ops.core.errors import K9Error
from k9ops.core.files import lock_to_hand_on
from k9ops.core.settings import current_settings

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
#: What the process logs, in the instance folder; that of the last restore.
LOG = "restore.log"


def start_restore(backup: Backup, actor: Actor, reason: str) -> str:
    """Start to restore the backup and come back at once; the journal's id.

    Raises:
        RestoreRunning: another restore is under way.
        RestoreFailed: the process could not be started.
    """
    instance = Path(current_app.instance_path)
    with lock_to_hand_on(instance / LOCK) as lock:
        if lock is None:
            raise running()
        warn_of_dead(instance)
        plain_bytes = backup.manifest.plain_bytes
        journal = Journal.begin(
            instance, backup.file, by=actor.name, reason=reason, plain_bytes=plain_bytes
        )
        try:
            _start(instance, lock, actor)
        except OSError as error:
            journal.end("failed", str(error), code="not_started")
            raise RestoreFailed("The process could not be started.", code="not_started") from error
    return str(journal.document["id"])


def _start(instance: Path, lock: int, actor: Actor) -> None:
    order = {
        "settings": current_settings().model_dump(mode="json"),
        "actor": asdict(actor),
    }
    with (instance / LOG).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "k9ops.restorer"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=ROOT,
            start_new_session=True,
            pass_fds=(lock,),
        )
    assert process.stdin
    with process.stdin:
        process.stdin.write(json.dumps(order).encode())
    # Whoever started it waits for it, so that it leaves nothing in the table of processes.
    threading.Thread(target=process.wait, daemon=True).start()


def restore_as_asked(actor: Actor) -> None:
    """Restore what the journal names; how it ended stands there, and is told to people."""
    journal = Journal.take_over(Path(current_app.instance_path))
    try:
        restore_noted(journal, actor)
    except Exception as error:
        code = error.code if isinstance(error, K9Error) else "failed"
        _tell_failure(str(journal.document["file"]), code, actor)
        raise


def _tell_failure(file: str, code: str, actor: Actor) -> None:
    """Tell in the database, if that can be written to."""
    try:
        with Session(db.engine) as session:
            ledger.write_failure(session, file, code, actor)
            session.commit()
    except SQLAlchemyError as error:
        logger.warning("that the restore failed could not be told: %s", error)
