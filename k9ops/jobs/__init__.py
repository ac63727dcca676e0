"""The job engine: a ledger of runs that decides, and executors that only carry out."""

from k9ops.jobs.context import current_run
from k9ops.jobs.dispatch import dispatch, enqueue
from k9ops.jobs.errors import PermanentError, Stopped
from k9ops.jobs.registry import job
from k9ops.jobs.retries import Retry
from k9ops.jobs.runner import Partial
from k9ops.jobs.triggers import Cron, Every

__all__ = [
    "Cron",
    "Every",
    "Partial",
    "PermanentError",
    "Retry",
    "Stopped",
    "current_run",
    "dispatch",
    "enqueue",
    "job",
]
