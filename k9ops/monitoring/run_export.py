"""Runs as rows of a file: what the list shows, and the times in full."""

from k9ops.core.i18n import lazy_gettext as _l
from k9ops.jobs.models import JobRun
from k9ops.jobs.registry import title_of
from k9ops.monitoring import words
from k9ops.web.exports import Column


def _waited(run: JobRun) -> float | None:
    return (run.started_at - run.queued_at).total_seconds() if run.started_at else None


COLUMNS: list[Column[JobRun]] = [
    Column(_l("Run"), lambda run: run.id),
    Column(_l("Job"), lambda run: title_of(run.job)),
    Column(_l("Name"), lambda run: run.job),
    Column(_l("State"), lambda run: words.STATES[run.state].text),
    Column(_l("Path"), lambda run: words.PATHS.get(run.path or "", "")),
    Column(_l("Reason"), lambda run: words.REASONS.get(run.reason or "", "")),
    Column(_l("Due"), lambda run: run.due_at),
    Column(_l("Queued"), lambda run: run.queued_at),
    Column(_l("Began"), lambda run: run.started_at),
    Column(_l("Ended"), lambda run: run.finished_at),
    Column(_l("Waited, seconds"), _waited),
    Column(
        _l("Took, seconds"),
        lambda run: None if run.duration_ms is None else round(run.duration_ms / 1000, 3),
    ),
    Column(_l("Attempts"), lambda run: run.attempts_made),
    Column(_l("Asked by"), words.asked_by),
    Column(_l("What it told"), words.summary),
]
