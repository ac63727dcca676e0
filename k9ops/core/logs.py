"""Logging: one line each on standard error; ours from INFO, other libraries' from WARNING."""

import logging
import sys
from typing import TextIO


class StderrHandler(logging.StreamHandler[TextIO]):
    """Writes to what standard error is at the moment, so that it may be redirected."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        self.addFilter(_wanted)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


def init_logging() -> None:
    """Set the process's logging up; safe to repeat."""
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    if not any(isinstance(handler, StderrHandler) for handler in root.handlers):
        root.addHandler(StderrHandler())


def _wanted(record: logging.LogRecord) -> bool:
    return record.name.startswith("k9ops") or record.levelno >= logging.WARNING
