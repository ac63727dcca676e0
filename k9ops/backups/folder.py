"""The folder of backups. It is the truth about them: a restore brings an old database back."""

import logging
import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from k9ops.backups.errors import Refused, UnknownBackup
from k9ops.backups.manifest import LIST, Kind, Manifest, path_beside
from k9ops.core.errors import Unavailable
from k9ops.core.files import locked, sync_folder, working_folder

logger = logging.getLogger(__name__)

#: Names we give: time of making, the run's last twelve signs, kind. Others are never removed.
OURS = re.compile(r"k9ops-\d{8}T\d{6}Z-[0-9a-f]{12}\.(sqlite|pgdump)\.zst")
SUFFIXES: dict[Kind, str] = {"sqlite": "sqlite.zst", "postgresql": "pgdump.zst"}
LATEST = "latest"


@dataclass(frozen=True)
class Backup:
    """One backup: its file and what the manifest says."""

    path: Path
    manifest: Manifest

    @property
    def file(self) -> str:
        return self.path.name

    @property
    def created_at(self) -> datetime:
        """The moment whose data it holds."""
        return self.manifest.created_at

    @property
    def is_good(self) -> bool:
        """Whether nothing speaks against it."""
        return self.manifest.refused is None

    @property
    def is_ours(self) -> bool:
        """Whether the name is one that we gave."""
        return OURS.fullmatch(self.file) is not None

    @property
    def rows(self) -> int:
        return sum(self.manifest.tables.values())

    def as_dict(self) -> dict[str, Any]:
        """The document of `list-backups`."""
        verified_at = self.manifest.verified_at
        return {
            "file": self.file,
            "bytes": self.manifest.bytes,
            "sha256": self.manifest.sha256,
            "created_at": self.created_at.isoformat(),
            "database": self.manifest.database,
            "uploaded": self.manifest.uploaded,
            "verified_at": verified_at.isoformat() if verified_at else None,
        }

    def noted(self, **changes: Any) -> "Backup":
        """The same with changes to its manifest, written down beside what others noted meanwhile.

        Raises:
            UnknownBackup: it was removed meanwhile.
        """
        with locked(self.path.parent):
            manifest = Manifest.read(self.path).model_copy(update=changes)
            manifest.write(self.path)
        return replace(self, manifest=manifest)


def name_for(run_id: str, kind: Kind, at: datetime) -> str:
    return f"k9ops-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{_mark(run_id)}.{SUFFIXES[kind]}"


def _mark(run_id: str) -> str:
    return run_id.replace("-", "")[-12:]


@dataclass(frozen=True)
class BackupFolder:
    """BACKUP_DIR."""

    path: Path

    @classmethod
    def opened(cls, path: Path) -> "BackupFolder":
        """The folder, made if absent and closed to other users.

        Raises:
            Unavailable: it cannot be written to.
        """
        try:
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o700)
        except OSError as error:
            message = f"BACKUP_DIR: cannot write to {path}: {error.strerror}."
            hint = "Give a folder that the application's user owns."
            raise Unavailable(
                message, code="no_backup_dir", field="BACKUP_DIR", hint=hint
            ) from None
        return cls(path)

    def backups(self) -> list[Backup]:
        """All with a readable manifest, newest first."""
        found = filter(None, map(_cached, self.path.glob("*.zst.json")))
        return sorted(found, key=lambda backup: backup.created_at, reverse=True)

    def last_good(self) -> Backup | None:
        return next((backup for backup in self.backups() if backup.is_good), None)

    def of_run(self, run_id: str) -> Backup | None:
        """The finished backup of a run; what a dead attempt of it left half is removed."""
        for path in self.path.glob(f"k9ops-*-{_mark(run_id)}.*.zst"):
            if path_beside(path).exists():
                return Backup(path, Manifest.read(path))
            logger.warning("removed %s: its attempt died before the manifest was there", path.name)
            path.unlink()
        return None

    def find(self, file: str) -> Backup:
        """The backup that `file` names: `latest`, a name in this folder, or a path.

        Raises:
            UnknownBackup: there is none.
            Refused: it has no readable manifest.
        """
        if file == LATEST:
            return self._latest()
        path = _nameable(Path(file))
        if os.sep in file or (path.is_file() and not (self.path / file).exists()):
            return Backup(path.absolute(), Manifest.read(path))
        return self.named(file)

    def named(self, name: str) -> Backup:
        """The backup of that name; never leaves this folder.

        Raises:
            UnknownBackup: there is none.
            Refused: it has no readable manifest.
        """
        path = _nameable(self.path / name)
        if os.sep in name or path.is_symlink():
            raise UnknownBackup(f"{name} is no file of BACKUP_DIR.", field="file", hint=LIST)
        return Backup(path, Manifest.read(path))

    def _latest(self) -> Backup:
        newest = next(iter(self.backups()), None)
        if newest is None:
            hint = "Make one with `flask run-backup`."
            raise UnknownBackup("There is no backup in BACKUP_DIR.", field="file", hint=hint)
        return newest

    @contextmanager
    def working(self) -> Generator[Path]:
        """A hidden folder beside, for what is not whole yet."""
        with working_folder(self.path, "making") as folder:
            yield folder

    def publish(self, file: Path, manifest: Manifest) -> Backup:
        """Give a whole, synced file its name, and the manifest after it.

        If another attempt of the run was quicker, its backup is the run's.
        """
        path = self.path / manifest.file
        with locked(self.path):
            if done := self.of_run(manifest.run_id):
                return done
            file.rename(path)
            sync_folder(self.path)
            manifest.write(path)
        return Backup(path, manifest)

    def remove(self, backup: Backup) -> None:
        """Remove both files, the manifest first: a file without one is no backup."""
        path_beside(backup.path).unlink(missing_ok=True)
        backup.path.unlink(missing_ok=True)
        sync_folder(self.path)


def _nameable(path: Path) -> Path:
    """The path, if the system can be asked about it, whether there is such a file or not."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return path
    except (OSError, ValueError) as error:  # too long, not for us, or with a NUL in it
        why = error.strerror if isinstance(error, OSError) else "no file has such a name"
        raise UnknownBackup(f"The file cannot be found: {why}.", field="file", hint=LIST) from None
    return path


def _cached(manifest_path: Path) -> Backup | None:
    try:
        stat = manifest_path.stat()
        _described(manifest_path).stat()
    except FileNotFoundError:
        return None
    return _read(manifest_path, stat.st_mtime_ns, stat.st_size)


def _described(manifest_path: Path) -> Path:
    """The file that a manifest stands beside."""
    return manifest_path.with_suffix("")


@lru_cache(maxsize=2000)
def _read(manifest_path: Path, _changed: int, _size: int) -> Backup | None:
    """Hundreds of manifests are read once, then again only when they changed."""
    path = _described(manifest_path)
    try:
        return Backup(path, Manifest.read(path))
    except (Refused, UnknownBackup) as error:
        logger.warning("%s is not listed: %s", path.name, error.message)
        return None
