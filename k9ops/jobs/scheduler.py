"""The threads of a process that executes by itself: APScheduler wakes, the rows decide.

Two executors: `ticks` (fire, catch-up, sweep) and `runs`, bounded by JOBS_EXECUTOR_THREADS; a
full `runs` never delays a tick. All threads are daemons, so a hung job cannot hold the exit.
"""

import logging
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from apscheduler.executors.base import BaseExecutor, run_job
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from k9ops.core.clock import db_now, utcnow
from k9ops.core.db import db
from k9ops.core.settings import current_settings
from k9ops.jobs import drain
from k9ops.jobs.claims import Claim
from k9ops.jobs.due import Firing
from k9ops.jobs.models import JobRun, PeriodicTask
from k9ops.jobs.registry import catalogue
from k9ops.jobs.runner import take, work
from k9ops.jobs.runtime import Runtime, executor_name, runtime
from k9ops.jobs.states import Path, State
from k9ops.jobs.sweep import Sweep
from k9ops.jobs.tasks import sync_tasks
from k9ops.jobs.triggers import Trigger, next_due, trigger_of
from k9ops.jobs.waiting import watch_waiting
from k9ops.jobs.watch import LOOK_SECONDS

logger = logging.getLogger(__name__)


class DaemonExecutor(BaseExecutor):
    """An APScheduler executor whose threads never hold the process."""

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        threading.Thread(
            target=self._run, args=(job, run_times), name=f"job-{job.id}", daemon=True
        ).start()

    def _run(self, job: Any, run_times: list[datetime]) -> None:
        try:
            events = run_job(job, job._jobstore_alias, run_times, self._logger.name)
        except BaseException:  # noqa: BLE001  (as APScheduler's own executors: reported)
            self._run_job_error(job.id, *sys.exc_info()[1:])
        else:
            self._run_job_success(job.id, events)


class Scheduler(BackgroundScheduler):
    """APScheduler's own, save that being stopped in the middle of a look is no error."""

    def _process_jobs(self) -> float | None:
        try:
            wait_seconds: float | None = super()._process_jobs()
        except JobLookupError:
            if self.running:
                raise
            return None
        return wait_seconds


class RowTrigger(BaseTrigger):
    """A periodic task's own trigger, in the words of APScheduler; only wakes, decides nothing."""

    def __init__(self, trigger: Trigger) -> None:
        self._trigger = trigger

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        shift = utcnow() - datetime.now(now.tzinfo)  # zero save in tests
        due = next_due(self._trigger, max(previous or now, now) + shift)
        return due - shift if due else None


class EngineService:
    """Ticks, sweeps and executes for one process, from `start()` to `stop()`."""

    def __init__(self, app: Flask, kind: str, *, ticks: bool) -> None:
        with app.app_context():
            self._runtime: Runtime = runtime()
            self._engine = db.engine
        self._app = app
        self._settings = self._runtime.settings
        self._name = executor_name(kind)
        self._ticks = ticks
        self._sweep = Sweep(
            self._engine, self._settings.jobs_lease_seconds, self._settings.jobs_tick_seconds
        )
        #: Runs handed to a thread that has not claimed them yet, and threads at work.
        self._handed: set[str] = set()
        self._busy = 0
        self._lock = threading.Lock()
        self._mirrored_at: datetime | None = None
        self._ticked_at: float | None = None
        #: The settings that the rows of the tasks follow.
        self._synced: object = None
        self._firing = Firing(self._engine, self._settings.jobs_late_seconds)
        self._database_away = False
        self._scheduler = self._build()

    def start(self) -> None:
        """Start the threads; the schedule follows the code from here on."""
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._runtime.service = self
        self._every_tick(self._execute_waiting, "executor")
        self._every_tick(partial(self._sweep, self._name), "sweep")
        self._every_tick(partial(watch_waiting, self._engine), "waiting")
        if self._ticks:
            self._every_tick(self._tick, "catch-up")
        if self._runtime.transport is not None:
            threading.Thread(target=self._runtime.transport.warm_up, daemon=True).start()
            self._every(LOOK_SECONDS, self._runtime.transport.look, "broker")
        self._scheduler.start()

    def stop(self) -> None:
        """Drain: claim nothing more, let runs end in their grace, give back the rest."""
        self._runtime.stopping_claims = True
        with self._app.app_context():
            drain.drain(self._runtime, lambda: self._busy > 0, self._settings)
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        self._runtime.service = None

    def wake(self) -> None:
        """Look for waiting runs now."""
        if self._scheduler.running and not self._runtime.stopping_claims:
            self._once(self._execute_waiting)

    def seconds_since_tick(self) -> float | None:
        """Age of the last successful tick; None when this process does not tick."""
        if not self._ticks:
            return None
        return time.monotonic() - (self._ticked_at or self._started_at)

    def _build(self) -> Any:
        self._started_at = time.monotonic()
        executors = {"ticks": DaemonExecutor(), "runs": DaemonExecutor()}
        defaults = {"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
        return Scheduler(executors=executors, job_defaults=defaults, timezone="UTC", daemon=True)

    def _every_tick(self, function: Callable[[], object], name: str) -> None:
        self._every(self._settings.jobs_tick_seconds, function, name)

    def _every(self, seconds: float, function: Callable[[], object], name: str) -> None:
        self._scheduler.add_job(
            self._guarded, "interval", [function], id=name, executor="ticks",
            seconds=seconds, jitter=seconds * 0.2, next_run_time=datetime.now(self._zone),
        )  # fmt: skip

    def _once(self, function: Callable[[], object]) -> None:
        self._scheduler.add_job(self._guarded, args=[function], executor="ticks")

    @property
    def _zone(self) -> Any:
        return self._scheduler.timezone

    def _guarded(self, function: Callable[[], object]) -> None:
        """Call inside the application; an outage of the database is said once, not every second."""
        if self._runtime.stopping_claims:
            return
        try:
            with self._app.app_context():
                function()
        except SQLAlchemyError as error:
            if not self._database_away:
                logger.warning("the database cannot be used: %s", error)
            self._database_away = True
        else:
            self._database_away = False

    def _tick(self) -> None:
        """Fire what is due and mirror changed rows; the catch-up that needs no exact wake-up."""
        if self._synced is not (settings := current_settings()):
            sync_tasks()
            self._synced = settings
        self._mirror()
        self._firing.fire_due()
        self._ticked_at = time.monotonic()

    def _mirror(self) -> None:
        """Give each enabled task its APScheduler job; take it from those that are not."""
        statement = select(PeriodicTask)
        if self._mirrored_at is not None:
            # A little overlap: another transaction may commit an earlier instant later.
            since = self._mirrored_at - timedelta(seconds=30)
            statement = statement.where(PeriodicTask.updated_at > since)
        self._mirrored_at = utcnow()
        for task in db.session.scalars(statement).all():
            with self._firing.sparing_others(task.id):
                self._mirror_task(task)

    def _mirror_task(self, task: PeriodicTask) -> None:
        name = f"task-{task.id}"
        if not task.enabled:
            try:
                self._scheduler.remove_job(name)
            except JobLookupError:
                logger.debug("task %s was not mirrored", task.name)
            return
        self._scheduler.add_job(
            self._guarded, RowTrigger(trigger_of(task)), [partial(self._firing.fire, task.id)],
            id=name, executor="ticks", replace_existing=True,
        )  # fmt: skip

    def _execute_waiting(self) -> None:
        """Take waiting runs as far as there are free threads; the claim decides who gets each."""
        with self._lock:
            free = self._settings.jobs_executor_threads - self._busy
            waiting = self._waiting(free) if free > 0 else []
            self._handed.update(waiting)
            self._busy += len(waiting)
        for run_id in waiting:
            self._scheduler.add_job(self._execute, args=[run_id], executor="runs")

    def _waiting(self, free: int) -> list[str]:
        statement = (
            select(JobRun.id)
            .where(JobRun.state == State.QUEUED, JobRun.available_at <= db_now())
            .where(JobRun.path == Path.IN_PROCESS, JobRun.placed, JobRun.job.in_(catalogue()))
            .where(JobRun.id.not_in(self._handed))
            .order_by(JobRun.priority.desc(), JobRun.available_at)
            .limit(free)
        )
        with self._engine.connect() as connection:
            return list(connection.scalars(statement))

    def _execute(self, run_id: str) -> None:
        """One run in a thread of `runs`; a thread that hangs keeps its place, its run does not."""
        try:
            with self._app.app_context():
                claim = self._take(run_id)
                if claim is not None:
                    work(claim)
        except SQLAlchemyError as error:
            logger.warning("run %s could not be taken: %s", run_id, error)
        finally:
            with self._lock:
                self._busy -= 1
            self.wake()

    def _take(self, run_id: str) -> Claim | None:
        try:
            return None if self._runtime.stopping_claims else take(run_id, self._name)
        finally:
            with self._lock:
                self._handed.discard(run_id)
