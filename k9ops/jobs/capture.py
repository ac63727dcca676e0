"""Log lines of a run: what its thread logs is kept with it."""

import logging

from k9ops.jobs.context import active_context


class RunLogHandler(logging.Handler):
    """Hands each record to the run that the thread executes, if any."""

    def emit(self, record: logging.LogRecord) -> None:
        context = active_context()
        if context is not None:
            context.add_line(record.levelname, record.name, self._text(record))

    def _text(self, record: logging.LogRecord) -> str:
        try:
            return self.format(record)
        except Exception:  # noqa: BLE001  (what cannot be formatted must not end the job)
            return f"{record.msg!r} (its arguments do not fit)"


def install() -> None:
    """Attach the handler to the root logger, once per process."""
    root = logging.getLogger()
    if not any(isinstance(handler, RunLogHandler) for handler in root.handlers):
        root.addHandler(RunLogHandler(level=logging.INFO))
