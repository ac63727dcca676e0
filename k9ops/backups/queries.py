"""What is known of the backups; read from their folder, never from the database."""

from k9ops.backups.folder import Backup, BackupFolder
from k9ops.core.settings import current_settings


def folder() -> BackupFolder:
    """BACKUP_DIR, which need not exist yet."""
    path = current_settings().backup_dir
    assert path, "the settings fill it in"
    return BackupFolder(path)


def last_good() -> Backup | None:
    """The newest backup that nothing speaks against."""
    return folder().last_good()
