"""Jobs as Celery tasks: one for each of the catalogue, each only a way into the ledger."""

import inspect
import logging
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from celery import Celery, Task
from celery.exceptions import InvalidTaskError
from celery.utils import uuid
from celery.worker.request import Request
from flask import Flask, has_app_context

from k9ops.core.db import db
from k9ops.core.errors import BadInput, NotFound
from k9ops.jobs.breaker import count_dropped
from k9ops.jobs.celery_app import RUN_HEADER
from k9ops.jobs.choosing import Choice
from k9ops.jobs.dispatch import NewRun, find, record, submit
from k9ops.jobs.foreground import run_here
from k9ops.jobs.models import JobRun
from k9ops.jobs.queries import known_id
from k9ops.jobs.registry import Job, catalogue
from k9ops.jobs.results import failure_of
from k9ops.jobs.runner import persist, take, work
from k9ops.jobs.runtime import executor_name
from k9ops.jobs.states import Path, State, Via

#: Celery's limits are the net behind ours.
NET_SECONDS = 30
#: Options of `apply_async` that the ledger does not have; ignoring them would break a promise.
_UNSUPPORTED = (
    "queue", "priority", "countdown", "eta", "expires", "link", "link_error", "chord", "chain",
)  # fmt: skip
_CALLER = "celery"

logger = logging.getLogger(__name__)


class JobRequest(Request):
    """A message as a worker reads it: one that is no task's is refused, and ends no worker.

    Celery would end with it, leave it in its queue, and end with it again.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().__init__(*args, **kwargs)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise InvalidTaskError(f"not a task's message: {error}") from error


class JobTask(Task):
    """A job's task. Every call of it is a run of the ledger."""

    abstract = True
    typing = False
    Request = JobRequest
    job: Job[..., Any]
    flask_app: Flask

    def apply_async(
        self, args: Any = None, kwargs: Any = None, task_id: str | None = None, **options: Any
    ) -> Any:
        """Dispatch a run (occurrence `celery:<task id>`), by Celery or in process.

        Raises:
            BadInput: an argument or an option is wrong.
        """
        self._check_options(options)
        if self.app.conf.task_always_eager:
            return self.apply(args, kwargs, task_id=task_id)
        task_id = task_id or uuid()
        with self._context():
            submit(self._new_run(args, kwargs, task_id, Via.AUTO))
        return self.AsyncResult(task_id)

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Called by a worker with a message, or at once by `apply`."""
        request = self.request
        with self._context():
            if request.is_eager or request.called_directly:
                return self._run_at_once(args, kwargs, request.id or uuid())
            headers = request.headers or {}
            if RUN_HEADER in headers:
                self._execute(headers[RUN_HEADER])
            else:
                self._execute_call(args, kwargs, request.id)
        return None

    def _execute_call(self, args: Any, kwargs: Any, task_id: str) -> None:
        """A message that somebody sent past us; one with wrong arguments is told and counted."""
        try:
            run_id = self._record(args, kwargs, task_id)
        except BadInput as error:
            logger.warning("message %s is dropped: %s %s", task_id, error.message, error.hint)
            count_dropped(db.engine, "unknown_messages")
        else:
            self._execute(run_id)

    def _execute(self, run_id: str) -> None:
        """Execute the run of a message, if it is still to be had."""
        try:
            run_id = known_id(str(run_id))  # a header may hold anything
        except NotFound:
            count_dropped(db.engine, "unknown_messages")
            return
        claim = take(run_id, executor_name("worker"), Path.CELERY)
        if claim is not None:
            work(claim)
        else:
            known = db.session.get(JobRun, run_id) is not None
            count_dropped(db.engine, "stale_messages" if known else "unknown_messages")

    def _record(self, args: Any, kwargs: Any, task_id: str) -> str:
        """The run of a message that somebody sent past us (`celery call`)."""
        new = self._new_run(args, kwargs, task_id, Via.AUTO)
        choice = Choice(Path.CELERY, None, 0.0, 0.0)
        # Its message is gone from the queue: until it has its row, this process is all it has.
        row = persist(lambda connection: record(connection, new, choice))
        return str(find(new).id if row is None else row.id)

    def _run_at_once(self, args: Any, kwargs: Any, task_id: str) -> Any:
        run, _is_new = submit(self._new_run(args, kwargs, task_id, Via.HERE))
        # Waits, since an executor of the application may be first to take it.
        ended = run_here(run.id)
        if ended.state in (State.SUCCEEDED, State.PARTIAL):
            return ended.result
        raise failure_of(ended)

    def _new_run(self, args: Any, kwargs: Any, task_id: str, via: Via) -> NewRun:
        try:
            bound = inspect.signature(self.job.function).bind(*(args or ()), **(kwargs or {}))
        except TypeError as error:
            raise BadInput(f"{self.job.name}: {error}", code="bad_argument") from None
        return NewRun(
            job=self.job,
            occurrence=f"celery:{task_id}",
            arguments=self.job.check_arguments(dict(bound.arguments)),
            via=via,
            requested_by=_CALLER,
            celery_task_id=task_id,
        )

    def _check_options(self, options: dict[str, Any]) -> None:
        for name in _UNSUPPORTED:
            if options.get(name):
                hint = "Use a periodic task for a later time, and the ledger for what follows."
                text = f"The option {name!r} of {self.job.name} is not supported."
                raise BadInput(text, field=name, hint=hint)

    def _context(self) -> AbstractContextManager[Any]:
        return nullcontext() if has_app_context() else self.flask_app.app_context()


def register_tasks(celery: Celery, flask_app: Flask) -> None:
    """Make every job of the catalogue a task of the application."""
    for job in catalogue().values():
        options = job.options
        task = type(
            "JobTask",
            (JobTask,),
            {
                "name": job.name,
                "job": job,
                "flask_app": flask_app,
                "ignore_result": True,
                "time_limit": options.timeout_seconds + NET_SECONDS,
                "soft_time_limit": options.soft_timeout_seconds + NET_SECONDS,
                "__doc__": job.description,
                "__module__": job.function.__module__,
            },
        )
        celery.register_task(task())
