"""The journal of the last restore: a file, because the database is what is being replaced."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from k9ops.core.clock import utcnow
from k9ops.core.files import write_whole

NAME = "restore-journal.json"


@dataclass
class Journal:
    """Steps with their times, and the outcome: none as long as it runs, or if it was killed."""

    path: Path
    document: dict[str, Any]

    @classmethod
    def begin(cls, instance: Path, file: str) -> Self:
        """Start a new journal in the instance folder."""
        document = {"file": file, "process": os.getpid(), "started_at": _now()}
        journal = cls(instance / NAME, {**document, "steps": [], "outcome": None, "message": ""})
        journal._write()
        return journal

    def step(self, name: str, **detail: Any) -> None:
        """Note that the step begins."""
        self.document["steps"].append({"step": name, "at": _now(), **detail})
        self._write()

    def end(self, outcome: str, message: str = "", **detail: Any) -> None:
        """Note how it ended: `restored`, `refused` or `failed`."""
        self.document.update(outcome=outcome, message=message, finished_at=_now(), **detail)
        self._write()

    def _write(self) -> None:
        write_whole(self.path, json.dumps(self.document, indent=2) + "\n")


def read(instance: Path) -> dict[str, Any] | None:
    """What is known of the last restore; None if there was none."""
    try:
        document: dict[str, Any] = json.loads((instance / NAME).read_text())
    except FileNotFoundError:
        return None
    return document


def _now() -> str:
    return utcnow().isoformat()
