"""The journal of the last restore: a file, because the database is what is being replaced."""

import json
import logging
import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

from k9ops.core.clock import utcnow
from k9ops.core.db import new_id
from k9ops.core.files import locked, write_whole

logger = logging.getLogger(__name__)

NAME = "restore-journal.json"
#: Held by whoever restores, from the first step to the last.
LOCK = "restore.lock"
#: How far a step is stands there so often at most.
_PROGRESS_SECONDS = 0.5


@dataclass
class Journal:
    """Steps with their times, and the outcome: none as long as it runs, or if it was killed."""

    path: Path
    document: dict[str, Any]
    _told_at: float = field(default=0.0, repr=False)

    @classmethod
    def begin(cls, instance: Path, file: str, **detail: Any) -> Self:
        """Start a new journal in the instance folder."""
        document = {"id": new_id(), "file": file, "process": os.getpid(), "started_at": _now()}
        end: dict[str, Any] = {"steps": [], "outcome": None, "message": ""}
        journal = cls(instance / NAME, {**document, **detail, **end})
        journal._write()
        return journal

    @classmethod
    def take_over(cls, instance: Path) -> Self:
        """Go on with the journal that the process wrote which started this one."""
        document = read(instance) or {}
        return cls(instance / NAME, {**document, "process": os.getpid()})

    def step(self, name: str, **detail: Any) -> None:
        """Note that the step begins."""
        self.document["steps"].append({"step": name, "at": _now(), **detail})
        self._write()

    def progress(self, done: float, total: float | None = None, text: str = "") -> None:
        """Note how far the present step is, every now and then."""
        if time.monotonic() - self._told_at >= _PROGRESS_SECONDS:
            self.document["steps"][-1].update(done=done, total=total, text=text)
            with suppress(OSError):  # a full disk: the restore itself may yet go well
                self._write()

    def end(self, outcome: str, message: str = "", **detail: Any) -> None:
        """Note how it ended: `restored`, `refused` or `failed`."""
        self.document.update(outcome=outcome, message=message, finished_at=_now(), **detail)
        self._write()

    def _write(self) -> None:
        write_whole(self.path, json.dumps(self.document, indent=2) + "\n")
        self._told_at = time.monotonic()


def read(instance: Path) -> dict[str, Any] | None:
    """What is known of the last restore; None if there was none, or its journal is damaged."""
    try:
        document: dict[str, Any] = json.loads((instance / NAME).read_text())
    except FileNotFoundError:
        return None
    except ValueError:  # no JSON, or no text at all: the next restore must not fail for it
        logger.warning("%s is damaged and counts as none", instance / NAME)
        return None
    return document


def durations(document: dict[str, Any]) -> dict[str, float]:
    """The seconds of each step that has ended."""
    steps = document["steps"]
    begins = [datetime.fromisoformat(step["at"]) for step in steps]
    if "finished_at" in document:
        begins.append(datetime.fromisoformat(document["finished_at"]))
    pairs = zip(steps, pairwise(begins), strict=False)
    return {step["step"]: (after - at).total_seconds() for step, (at, after) in pairs}


def is_running(instance: Path) -> bool:
    """Whether somebody restores now; one that was killed does not."""
    if not (instance / LOCK).exists():
        return False
    with locked(instance / LOCK, wait=False) as is_free:
        return not is_free


def _now() -> str:
    return utcnow().isoformat()
