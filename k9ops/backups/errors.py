"""What can go wrong with backups."""

import errno
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from k9ops.core.errors import Conflict, K9Error, NotFound, Unavailable
from k9ops.integrations import postgresql, sqlite


class UnknownBackup(NotFound):
    """There is no such file."""

    code = "unknown_backup"
    exit_code = 1


class Refused(K9Error):
    """The backup is not what its manifest says, or not for this database; `code` says why."""

    code = "refused"
    status = 409


class NoSpace(Unavailable):
    """The disk is full."""

    code = "no_space"


class BackupFailed(K9Error):
    """The backup could not be made."""

    code = "backup_failed"
    status = 500


class RestoreFailed(K9Error):
    """The restore stopped; the live data is as it was before."""

    code = "restore_failed"
    status = 500


class RestoreRunning(Conflict):
    """Another restore is under way."""

    code = "restore_running"


def no_space(folder: Path, needed: float = 0) -> NoSpace:
    """The error of a full disk; `needed` bytes, if known, are told."""
    free = f"{shutil.disk_usage(folder).free / 1e6:.1f} MB are free"
    wanted = f", about {needed / 1e6:.1f} MB are needed" if needed else ""
    message = f"The disk of {folder} is full: {free}{wanted}. Earlier backups are untouched."
    return NoSpace(message, hint="Free some space, lower BACKUP_KEEP_*, or move BACKUP_DIR.")


@contextmanager
def explained(folder: Path) -> Generator[None]:
    """Turn what disk, database and programs say into one clear error."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise no_space(folder) from error
        raise BackupFailed(f"{error.filename or folder}: {error.strerror}.") from error
    except sqlite.Full as error:
        raise no_space(folder) from error
    except (postgresql.ProgramFailed, sqlite.Fault) as error:
        raise BackupFailed(f"The database could not be read: {error}.") from error
