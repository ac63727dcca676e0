"""The queues of Celery: which there are, and which a job's runs go to."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from k9ops.jobs.registry import Job

if TYPE_CHECKING:
    from config import Settings

#: Queues of every unit; a job that names another adds it.
QUEUES = ("k9_tasks", "backups", "reports", "notifications", "schedules")


def queue_of(settings: "Settings", job: Job[..., Any]) -> str:
    """The job's queue; that of the settings where it names none."""
    default = QUEUES[0]
    return settings.celery_task_default_queue if job.queue == default else str(job.queue)


def queue_names(settings: "Settings", jobs: Iterable[Job[..., Any]]) -> list[str]:
    """Every queue that somebody may publish to."""
    known = [settings.celery_task_default_queue, *QUEUES[1:]]
    return list(dict.fromkeys([*known, *(queue_of(settings, job) for job in jobs)]))
