"""The copies on Google Drive: upload a backup, going on where an earlier attempt stopped."""

import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from k9ops.backups import retention
from k9ops.backups.folder import OURS, Backup
from k9ops.core.errors import K9Error
from k9ops.core.settings import current_settings, unit_id
from k9ops.jobs import Stopped, current_run
from k9ops.jobs.context import Effect

if TYPE_CHECKING:
    from k9ops.integrations.drive import Folder, NewFile, RemoteFile

logger = logging.getLogger(__name__)

NO_FOLDER = (
    "No folder is named: choose one of a shared drive that the service account may write to"
    " (page Settings, or GOOGLE_DRIVE_FOLDER_ID)."
)

#: Application properties of each file that we upload.
PRODUCT, BACKUP = "k9ops", "backup"
UNIT, FILE, CREATED = "k9ops_unit", "k9ops_file", "k9ops_created"


@dataclass(frozen=True)
class Upload:
    """What came of the upload."""

    upload: Literal["off", "done", "failed"] = "off"
    #: Why it failed, for programs and for people.
    code: str = ""
    message: str = ""
    removed_on_drive: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The part of the job's result that tells of it."""
        found: dict[str, Any] = {"uploaded": self.upload == "done", "upload": self.upload}
        if self.upload == "done":
            found["removed_on_drive"] = self.removed_on_drive
        if self.upload == "failed":
            found |= {"upload_error": self.code, "upload_message": self.message}
        return found


def upload_backup(backup: Backup) -> Upload:
    """Upload the backup where Google Drive is set up, then remove old ones there.

    Safe to repeat in later attempts of the run: what is on Drive is not sent again.
    """
    settings = current_settings()
    if not settings.drive_on:
        return Upload()
    if not settings.google_drive_folder_id:
        return _failed("drive_no_folder", NO_FOLDER)
    # Large and slow to load, and most processes never upload.
    from k9ops.integrations.drive_faults import Fault

    try:
        with _folder() as folder:
            with current_run().effect(f"drive:{backup.file}") as effect:
                if effect.state != "done":
                    effect.receipt = _upload(folder, backup, effect)
            _note_uploaded(backup)
            return Upload("done", removed_on_drive=_remove_old(folder))
    except Stopped as stopped:
        if stopped.why != "soft_limit":
            raise
        return _failed("drive_time_limit", "The time limit passed while it was being uploaded.")
    except Fault as fault:
        return _failed(fault.code, f"{fault.message} {fault.hint}".strip())


def _failed(code: str, text: str) -> Upload:
    logger.warning("not uploaded: %s", text)
    return Upload("failed", code, text)


def _folder() -> "Folder":
    from k9ops.integrations.drive import Folder

    settings = current_settings()
    assert settings.google_drive_credentials_file, "drive_on says so"
    return Folder(
        settings.google_drive_credentials_file,
        settings.google_drive_folder_id,
        settings.google_drive_api_root,
        current_run().check,
    )


def _upload(folder: "Folder", backup: Backup, effect: Effect) -> dict[str, Any]:
    """Upload it; the receipt. What the receipt keeps on the way is enough to go on from."""
    run, new = current_run(), _new_file(backup)

    def keep(session: str, offset: int) -> None:
        effect.keep({"session": session, "offset": offset, "bytes": new.size})
        run.progress(offset, new.size, "Uploaded")

    session = (effect.receipt or {}).get("session", "")
    remote = folder.upload(new, session, keep)
    run.progress(new.size, new.size, "Uploaded")
    logger.info("%s is on Google Drive, with its checksum", backup.file)
    return {"file_id": remote.id, "sha256": remote.sha256, "bytes": remote.size}


def _new_file(backup: Backup) -> "NewFile":
    from k9ops.integrations.drive import NewFile

    return NewFile(
        path=backup.path,
        name=backup.file,
        size=backup.manifest.bytes,
        sha256=backup.manifest.sha256,
        identity=FILE,
        properties={
            PRODUCT: BACKUP,
            UNIT: unit_id(),
            FILE: backup.file,
            CREATED: backup.created_at.isoformat(),
        },
        # The file alone could not be restored when this machine is lost.
        description=backup.manifest.model_dump_json(),
    )


def _note_uploaded(backup: Backup) -> None:
    try:
        backup.noted(uploaded=True)
    except (OSError, K9Error) as error:
        logger.warning("%s.json could not be written: %s", backup.file, error)


def _remove_old(folder: "Folder") -> list[str]:
    """Remove the backups on Drive that no rule of retention keeps; best effort, their names."""
    settings = current_settings()
    removed: list[str] = []
    try:
        # Another unit, or a trial copy of this one, may keep its backups in the same folder.
        there = [one for one in folder.find(UNIT, unit_id()) if _is_ours(one)]
        made = {one.name: datetime.fromisoformat(one.properties[CREATED]) for one in there}
        kept = retention.kept(made, retention.Rules.of(settings), settings.zone)
        for file in sorted(there, key=lambda one: one.name):
            if file.name not in kept:
                folder.remove(file)
                removed.append(file.name)
                logger.info("removed %s on Google Drive: no rule of retention keeps it", file.name)
    except K9Error as error:
        logger.warning("old backups stay on Google Drive for now: %s", error.message)
    except Stopped as stopped:
        if stopped.why != "soft_limit":
            raise
        logger.warning("old backups stay on Google Drive for now: the time limit passed")
    return removed


def _is_ours(file: "RemoteFile") -> bool:
    return OURS.fullmatch(file.name) is not None and CREATED in file.properties
