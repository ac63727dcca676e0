"""Whether documents can be made here: libraries, fonts, a folder to keep them in."""

import os
from pathlib import Path

from k9ops.core.health import DEGRADED, OK, Check
from k9ops.integrations.weasyprint import missing_libraries
from k9ops.reports.queries import data_dir
from k9ops.reports.rendering import fonts_there


def documents_check() -> Check:
    """For `/readyz`."""
    if missing := missing_libraries():
        return Check(DEGRADED, f"Libraries are missing: {', '.join(missing)}.")
    if not fonts_there():
        return Check(DEGRADED, "The fonts of documents are missing.")
    if not _can_write(data_dir()):
        return Check(DEGRADED, "DATA_DIR cannot be written to.")
    return Check(OK, "Documents can be made.")


def _can_write(folder: Path) -> bool:
    """Whether files can be made there; a folder that is not there yet is made with the first."""
    nearest = next(one for one in (folder, *folder.parents) if one.exists())
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
