"""The ledger: periodic tasks and their versions, runs, attempts, events, effects, log lines."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    text,
    true,
)
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.orm import Mapped, mapped_column, relationship

from k9ops.core.db import Base, RunId, new_id, one_of
from k9ops.jobs.states import ACTIVE, Edit, Misfire, Outcome, Overlap, Path, Reason, State, Via
from k9ops.jobs.triggers import LONGEST_CRON

BigId = BigInteger().with_variant(Integer(), "sqlite")


#: A few hundred signs, so that an index takes them.
TOLD = (
    "nullif(lower(substr(coalesce(error_message, '') || ' ' || coalesce(text, ''), 1, 300)), ' ')"
)
#: So many of its last signs name a run in lists.
SHOWN_OF_ID = 8
ID_END = f"substr(CAST(id AS text), {36 - SHOWN_OF_ID + 1})"


class PeriodicTask(Base):
    """A trigger of a job: when it is due, and what policy holds."""

    __tablename__ = "periodic_tasks"
    __table_args__ = (
        one_of("misfire", tuple(Misfire)),
        one_of("overlap", tuple(Overlap)),
        CheckConstraint("(cron IS NULL) <> (every_seconds IS NULL)", name="one_trigger"),
        Index("ix_periodic_tasks_due", "enabled", "next_due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    job: Mapped[str] = mapped_column(String(200), index=True)
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    #: Either a five-field crontab expression read on the clock of `timezone` …
    cron: Mapped[str | None] = mapped_column(String(LONGEST_CRON))
    #: … or an interval, counted from `anchor_at`.
    every_seconds: Mapped[float | None]
    anchor_at: Mapped[datetime]
    timezone: Mapped[str] = mapped_column(String(64))
    enabled: Mapped[bool] = mapped_column(default=True)
    misfire: Mapped[str] = mapped_column(String(16), default=Misfire.LATEST)
    overlap: Mapped[str] = mapped_column(String(16), default=Overlap.ALLOW)
    #: Counts edits; a tick that read an older version moves nothing.
    version: Mapped[int] = mapped_column(default=1)
    #: Every occurrence up to here has its row.
    watermark: Mapped[datetime]
    #: The first occurrence after the watermark; null when there is none.
    next_due_at: Mapped[datetime | None]
    #: From then on the trigger in code or settings no longer follows into the row.
    edited_by: Mapped[str | None] = mapped_column(String(80))
    paused_by: Mapped[str | None] = mapped_column(String(80))
    paused_at: Mapped[datetime | None]
    total_runs: Mapped[int] = mapped_column(default=0)
    last_due_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class TaskVersion(Base):
    """What a periodic task's trigger and policies were from one edit to the next."""

    __tablename__ = "periodic_task_versions"
    __table_args__ = (
        Unique("task_id", "version"),
        one_of("kind", tuple(Edit)),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("periodic_tasks.id", ondelete="CASCADE"))
    version: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    cron: Mapped[str | None] = mapped_column(String(LONGEST_CRON))
    every_seconds: Mapped[float | None]
    anchor_at: Mapped[datetime]
    timezone: Mapped[str] = mapped_column(String(64))
    enabled: Mapped[bool]
    misfire: Mapped[str] = mapped_column(String(16))
    overlap: Mapped[str] = mapped_column(String(16))
    #: Who edited it; null where the row followed the code or the settings.
    by: Mapped[str | None] = mapped_column(String(80))
    at: Mapped[datetime]


class JobRun(Base):
    """One occurrence of a job."""

    __tablename__ = "job_runs"
    __table_args__ = (
        Unique("job", "occurrence"),
        one_of("state", tuple(State)),
        one_of("path", tuple(Path)),
        one_of("reason", tuple(Reason)),
        one_of("via", tuple(Via)),
        Index("ix_job_runs_waiting", "state", "available_at"),
        Index("ix_job_runs_job_id", "job", "id"),
        Index("ix_job_runs_state_id", "state", "id"),
        Index("ix_job_runs_path_id", "path", "id"),
        Index("ix_job_runs_reason_id", "reason", "id"),
        Index("ix_job_runs_queued_at", "queued_at"),
        Index(
            "ix_job_runs_took",
            "duration_ms",
            "id",
            postgresql_where=text("duration_ms IS NOT NULL"),
            sqlite_where=text("duration_ms IS NOT NULL"),
        ),
        Index(
            "ix_job_runs_untimed",
            "id",
            postgresql_where=text("duration_ms IS NULL"),
            sqlite_where=text("duration_ms IS NULL"),
        ),
        Index(
            "ix_job_runs_told",
            "id",
            "told",
            postgresql_where=text("told IS NOT NULL"),
            sqlite_where=text("told IS NOT NULL"),
        ),
        Index("ix_job_runs_id_end_id", "id_end", "id"),
        Index(
            "uq_job_runs_overlap_key_active",
            "overlap_key",
            unique=True,
            postgresql_where=text(f"state IN {tuple(str(s) for s in ACTIVE)}"),
            sqlite_where=text(f"state IN {tuple(str(s) for s in ACTIVE)}"),
        ),
    )

    id: Mapped[str] = mapped_column(RunId, primary_key=True, default=new_id)
    job: Mapped[str] = mapped_column(String(200))
    occurrence: Mapped[str] = mapped_column(String(400))
    task_id: Mapped[int | None] = mapped_column(
        ForeignKey("periodic_tasks.id", ondelete="SET NULL"), index=True
    )
    #: The task's version when the occurrence came due.
    task_version: Mapped[int | None]
    queue: Mapped[str] = mapped_column(String(80))
    priority: Mapped[int]
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    requested_by: Mapped[str | None] = mapped_column(String(80))
    #: The task's id where overlap is `skip`; unique among active runs.
    overlap_key: Mapped[int | None]

    state: Mapped[str] = mapped_column(String(16))
    via: Mapped[str] = mapped_column(String(16), default=Via.AUTO)
    path: Mapped[str | None] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(32))
    #: What the choice of the path cost.
    decision_ms: Mapped[float | None]
    #: Whether the path of the coming attempt is chosen; until then `path` is the last attempt's.
    placed: Mapped[bool] = mapped_column(default=True, server_default=true())
    #: The turn at which the message of the coming attempt was sent again last (see `waiting`).
    republished: Mapped[int] = mapped_column(default=0, server_default="0")
    celery_task_id: Mapped[str | None] = mapped_column(String(80))
    #: Fencing token: counts claims; who holds an older one writes nothing.
    token: Mapped[int] = mapped_column(default=0)
    #: Attempts made, attempts that count as tries, tries allowed, attempts lost in a row.
    attempts_made: Mapped[int] = mapped_column(default=0)
    tries: Mapped[int] = mapped_column(default=0)
    max_tries: Mapped[int] = mapped_column(default=1)
    losses: Mapped[int] = mapped_column(default=0)
    cancel_requested: Mapped[bool] = mapped_column(default=False)

    due_at: Mapped[datetime | None]
    late: Mapped[bool] = mapped_column(default=False)
    queued_at: Mapped[datetime]
    available_at: Mapped[datetime]
    #: When the first attempt began.
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    #: How long the last attempt ran.
    duration_ms: Mapped[float | None]
    retry_at: Mapped[datetime | None]

    result: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))
    #: One line for people: the text of a partial result, or what a skipped run met.
    text: Mapped[str | None] = mapped_column(Text)
    error_code: Mapped[str | None] = mapped_column(String(80))
    error_message: Mapped[str | None] = mapped_column(Text)
    error_traceback: Mapped[str | None] = mapped_column(Text)
    #: What a search looks at: the beginning of error and text; null for a run that told nothing.
    told: Mapped[str | None] = mapped_column(Text, Computed(TOLD, persisted=True), deferred=True)
    #: The signs of the id that stand in lists, by which people look for it.
    id_end: Mapped[str | None] = mapped_column(
        Text, Computed(ID_END, persisted=True), deferred=True
    )

    attempts: Mapped[list["JobAttempt"]] = relationship(
        back_populates="run", order_by="JobAttempt.number", passive_deletes=True
    )
    task: Mapped[PeriodicTask | None] = relationship()


class JobAttempt(Base):
    """One execution of a run; inserted by the claim and never before."""

    __tablename__ = "job_attempts"
    __table_args__ = (
        Unique("run_id", "number"),
        one_of("path", tuple(Path)),
        one_of("reason", tuple(Reason)),
        one_of("outcome", tuple(Outcome)),
        Index(
            "ix_job_attempts_open",
            "run_id",
            postgresql_where=text("outcome IS NULL"),
            sqlite_where=text("outcome IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    run_id: Mapped[str] = mapped_column(RunId, ForeignKey("job_runs.id", ondelete="CASCADE"))
    number: Mapped[int]
    token: Mapped[int]
    path: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(32))
    #: `web|scheduler|cli|worker|child:HOST:PID`.
    executor: Mapped[str] = mapped_column(String(200))
    celery_task_id: Mapped[str | None] = mapped_column(String(80))
    decision_ms: Mapped[float | None]
    queued_at: Mapped[datetime]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(16))
    error_code: Mapped[str | None] = mapped_column(String(80))
    error_message: Mapped[str | None] = mapped_column(Text)
    error_traceback: Mapped[str | None] = mapped_column(Text)
    #: No heartbeat passes this instant: a hung function ends as `timed_out`.
    deadline_at: Mapped[datetime]
    #: Raised by the executor; a sweep that sees it stand still declares the attempt lost.
    heartbeat: Mapped[int] = mapped_column(BigInteger, default=0)
    heartbeat_at: Mapped[datetime]
    progress_done: Mapped[float | None]
    progress_total: Mapped[float | None]
    progress_text: Mapped[str | None] = mapped_column(Text)

    run: Mapped[JobRun] = relationship(back_populates="attempts")


class JobEvent(Base):
    """One move of a run, written in the transaction that made it."""

    __tablename__ = "job_events"
    __table_args__ = (Index("ix_job_events_run_id_id", "run_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    run_id: Mapped[str] = mapped_column(RunId, ForeignKey("job_runs.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    from_state: Mapped[str | None] = mapped_column(String(16))
    to_state: Mapped[str] = mapped_column(String(16))
    #: The word of what happened; see `k9ops.jobs.moves.Happening`.
    kind: Mapped[str] = mapped_column(String(32))
    attempt: Mapped[int | None]
    token: Mapped[int]
    #: Executor, command or person that moved it.
    actor: Mapped[str | None] = mapped_column(String(200))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class JobEffect(Base):
    """An effect outside the database: reserved before it, receipted after it."""

    __tablename__ = "job_effects"
    __table_args__ = (Unique("run_id", "key"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    run_id: Mapped[str] = mapped_column(RunId, ForeignKey("job_runs.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(300))
    token: Mapped[int]
    reserved_at: Mapped[datetime]
    #: What proves it; null while it is unknown whether the effect happened.
    receipt: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))
    done_at: Mapped[datetime | None]


class JobLogLine(Base):
    """One line that a job logged while an attempt ran."""

    __tablename__ = "job_log_lines"
    __table_args__ = (Index("ix_job_log_lines_run_id_id", "run_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    run_id: Mapped[str] = mapped_column(RunId, ForeignKey("job_runs.id", ondelete="CASCADE"))
    attempt: Mapped[int]
    at: Mapped[datetime]
    level: Mapped[str] = mapped_column(String(16))
    logger: Mapped[str] = mapped_column(String(200))
    message: Mapped[str] = mapped_column(Text)


class BrokerState(Base):
    """What all processes know of the broker: one row, the breaker and what was dropped."""

    __tablename__ = "broker_state"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: Faults in a row; a success sets it to 0.
    failures: Mapped[int] = mapped_column(default=0)
    #: Until then nobody asks the broker; after it one process does. Null: closed.
    open_until: Mapped[datetime | None]
    #: The last fault, as a reason and in the broker's words.
    reason: Mapped[str | None] = mapped_column(String(32))
    text: Mapped[str | None] = mapped_column(Text)
    changed_at: Mapped[datetime]
    times_opened: Mapped[int] = mapped_column(default=0)
    #: Messages whose run was not to be had any more, and those of no known run.
    stale_messages: Mapped[int] = mapped_column(default=0)
    unknown_messages: Mapped[int] = mapped_column(default=0)
