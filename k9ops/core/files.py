"""Files that are whole or not there; locks and working folders that end with their process."""

import fcntl
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

logger = logging.getLogger(__name__)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write `path` so that a reader, or a power cut, finds the old content or the new one."""
    with written_beside(path, content) as publish:
        publish()


@contextmanager
def written_beside(path: Path, content: str | bytes) -> Generator[Callable[[], None]]:
    """Write beside `path`; calling what the block gets puts it there, else it is removed."""
    content = content.encode() if isinstance(content, str) else content
    descriptor, name = tempfile.mkstemp(".part", f".{path.name}-", path.parent)
    beside = Path(name)

    def publish() -> None:
        beside.replace(path)
        sync_folder(path.parent)

    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        yield publish
    finally:
        beside.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut."""
    with _opened(folder) as descriptor:
        os.fsync(descriptor)


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Generator[bool]:
    """Hold the lock of a file (made if absent) or a folder; False if another holds it.

    The lock is the process's: it ends with the block or with the process, however that ends.
    """
    with _opened(path) as descriptor:
        yield _lock(descriptor, wait=wait)


@contextmanager
def lock_to_hand_on(path: Path) -> Generator[int | None]:
    """A held lock's descriptor, for a process that is given it and so holds the lock from then on.

    None if another holds it.
    """
    with _opened(path) as descriptor:
        yield descriptor if _lock(descriptor, wait=False) else None


@contextmanager
def working_folder(parent: Path, label: str) -> Generator[Path]:
    """A hidden folder `.LABEL-….part` in `parent`, removed at the end of the block.

    Those of processes that died are removed first.
    """
    with locked(parent):
        _remove_leftovers(parent)
        folder = Path(tempfile.mkdtemp(prefix=f".{label}-", suffix=".part", dir=parent))
        descriptor = os.open(folder, os.O_RDONLY)
        _lock(descriptor)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _remove_leftovers(parent: Path) -> None:
    for path in parent.glob(".*.part"):
        if _is_left(path):
            logger.warning("removed %s, which a process that died left behind", path)
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _is_left(path: Path) -> bool:
    """A folder whose lock is free; a file older than any write of it takes."""
    try:
        if not path.is_dir():
            return time.time() - path.stat().st_mtime > 60
        with locked(path, wait=False) as is_free:
            return is_free
    except FileNotFoundError:
        return False


@contextmanager
def _opened(path: Path) -> Generator[int]:
    may_make = 0 if path.suffix == ".part" or path.is_dir() else os.O_CREAT
    descriptor = os.open(path, os.O_RDONLY | may_make, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int, *, wait: bool = True) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True
