"""What is known of the backups; read from their folder, save how their runs were executed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import and_, case, func, select

from k9ops.audit.models import AuditEntry
from k9ops.backups import journal, retention, words
from k9ops.backups.folder import Backup, BackupFolder
from k9ops.core.clock import utcnow
from k9ops.core.db import db
from k9ops.core.paging import Order, Page, in_order
from k9ops.core.settings import current_settings
from k9ops.jobs.models import JobAttempt, JobRun, PeriodicTask
from k9ops.jobs.states import ACTIVE, State
from k9ops.notifications.models import Notification

PER_PAGE = 25


def folder() -> BackupFolder:
    """BACKUP_DIR, which need not exist yet."""
    path = current_settings().backup_dir
    assert path, "the settings fill it in"
    return BackupFolder(path)


def last_good() -> Backup | None:
    """The newest backup that nothing speaks against."""
    return folder().last_good()


@dataclass(frozen=True)
class ShownBackup:
    """A backup as the page shows it."""

    backup: Backup
    #: How its run was executed; None when the ledger does not know the run (any more).
    path: str | None
    reason: str | None
    #: Why its run could not upload it; None where it did, or was not to.
    upload_error: str | None
    #: The rules of retention that keep it: `last`, `daily`, `weekly`, `monthly`.
    kept_as: Sequence[str]

    @property
    def file(self) -> str:
        return self.backup.file

    @property
    def bytes(self) -> int:
        return self.backup.manifest.bytes

    @property
    def rows(self) -> int:
        return self.backup.rows

    @property
    def created_at(self) -> datetime:
        return self.backup.created_at

    @property
    def age(self) -> timedelta:
        return utcnow() - self.created_at

    @property
    def verified_at(self) -> datetime | None:
        return self.backup.manifest.verified_at

    @property
    def refused_reason(self) -> str | None:
        refused = self.backup.manifest.refused
        return words.refusal(refused.code, refused.message) if refused else None

    @property
    def is_uploaded(self) -> bool:
        return self.backup.manifest.uploaded

    @property
    def upload_fault(self) -> str:
        """Why it is not on Drive, in words."""
        return words.upload_fault(self.upload_error or "")

    @property
    def is_safety(self) -> bool:
        """Made before a restore, not by the job."""
        return self.backup.manifest.reason == "safety"

    @property
    def run_id(self) -> str:
        return self.backup.manifest.run_id


@dataclass(frozen=True)
class Kept:
    """The rules of retention, and what they keep at present."""

    rules: retention.Rules
    files: int
    bytes: int


@dataclass(frozen=True)
class Working:
    """A run that is about backups and has not ended; no attempt while it waits."""

    run: JobRun
    attempt: JobAttempt | None

    @property
    def file(self) -> str:
        """The backup it verifies; empty where it makes one."""
        return str(self.run.arguments.get("file", ""))


@dataclass(frozen=True)
class Overview:
    """All that the page of backups tells."""

    page: Page[ShownBackup]
    last_good: ShownBackup | None
    kept: Kept
    #: The runs that make or verify a backup now, with their present attempts.
    working: list[Working]
    next_due: datetime | None


@dataclass(frozen=True)
class BackupFilter:
    """Which backups; what is empty does not count: a word of STATES, one of PLACES."""

    state: str = ""
    place: str = ""

    def fits(self, backup: Backup) -> bool:
        place = "drive" if backup.manifest.uploaded else "disk"
        return self.state in ("", state_of(backup)) and self.place in ("", place)


def state_of(backup: Backup) -> str:
    """What is known of it: `refused`, `whole`, or only its `hash`."""
    if not backup.is_good:
        return "refused"
    return "whole" if backup.manifest.verified_at else "hash"


#: What a list of backups is sorted by.
HEADS: dict[str, Callable[[Backup], Any]] = {
    "taken": lambda backup: backup.created_at,
    "size": lambda backup: backup.manifest.bytes,
    "rows": lambda backup: backup.rows,
}


def overview(
    jobs: tuple[str, ...],
    wanted: BackupFilter,
    order: Order,
    before: str | None = None,
    after: str | None = None,
) -> Overview:
    """A page of the backups that fit, and what is said of all of them.

    `jobs` make and verify backups; the first of them comes due by itself.
    """
    backups = folder().backups()
    good = next((backup for backup in backups if backup.is_good), None)
    page = _page(_fitting(backups, wanted, order), before, after)
    shown = _shown([*page.items, *([good] if good else [])])
    settings = current_settings()
    return Overview(
        page=Page([shown[item.file] for item in page.items], page.newer, page.older),
        last_good=shown[good.file] if good else None,
        kept=Kept(
            retention.Rules.of(settings),
            len(backups),
            sum(backup.manifest.bytes for backup in backups),
        ),
        working=_working(jobs),
        next_due=_next_due(jobs[0]),
    )


def all_backups(wanted: BackupFilter, order: Order) -> list[ShownBackup]:
    """Those that fit, all of them, for a file."""
    return list(_shown(_fitting(folder().backups(), wanted, order)).values())


def _fitting(backups: list[Backup], wanted: BackupFilter, order: Order) -> list[Backup]:
    return in_order(filter(wanted.fits, backups), HEADS[order.by], order)


def _page(backups: list[Backup], before: str | None, after: str | None) -> Page[Backup]:
    """A page by file names; unknown ones (removed by now) give the first page."""
    names = [backup.file for backup in backups]
    start = 0
    if before in names:
        start = names.index(before) + 1
    elif after in names:
        start = max(names.index(after) - PER_PAGE, 0)
    items = backups[start : start + PER_PAGE]
    newer = items[0].file if items and start else None
    older = items[-1].file if items and start + PER_PAGE < len(backups) else None
    return Page(items, newer, older)


def _shown(backups: list[Backup]) -> dict[str, ShownBackup]:
    kept = kept_names()
    ids = {backup.manifest.run_id for backup in backups}
    failed = case((JobRun.state == State.PARTIAL, JobRun.error_code))  # of nothing but the upload
    statement = select(JobRun.id, JobRun.path, JobRun.reason, failed).where(JobRun.id.in_(ids))
    rows = db.session.execute(statement)
    told = {run_id: (path, reason, failure) for run_id, path, reason, failure in rows}
    return {
        backup.file: ShownBackup(
            backup, *told.get(backup.manifest.run_id, (None, None, None)), kept.get(backup.file, ())
        )
        for backup in backups
    }


def kept_names() -> dict[str, list[retention.Rule]]:
    """The good backups that retention keeps, by name, with the rules that keep each.

    One that was made before a restore has a rule of its own, and takes nobody's place.
    """
    settings = current_settings()
    good = (b for b in folder().backups() if b.is_good and b.is_ours)
    made = {b.file: b.created_at for b in good if b.manifest.reason == "run"}
    return retention.kept(made, retention.Rules.of(settings), settings.zone)


def _working(jobs: tuple[str, ...]) -> list[Working]:
    present = and_(JobAttempt.run_id == JobRun.id, JobAttempt.outcome.is_(None))
    statement = (
        select(JobRun, JobAttempt)
        .outerjoin(JobAttempt, present)
        .where(JobRun.job.in_(jobs), JobRun.state.in_(ACTIVE))
        .order_by(JobRun.id)
        .limit(PER_PAGE)
    )
    return [Working(run, attempt) for run, attempt in db.session.execute(statement)]


@dataclass(frozen=True)
class Lost:
    """What leaves the live database when it goes back to an earlier moment."""

    runs: int
    changes: int
    notifications: int


def written_since(moment: datetime) -> Lost:
    """What was written after that moment."""
    counts = [
        select(func.count()).where(column >= moment).scalar_subquery()
        for column in (JobRun.queued_at, AuditEntry.at, Notification.created_at)
    ]
    return Lost(*db.session.execute(select(*counts)).one())


def seconds_of_steps(backup: Backup) -> dict[str, float]:
    """How long the steps of its restore may take, as far as earlier ones tell.

    `safety` by the last backup, `verify` and `replace` by the last restore, for its size.
    """
    made = last_good()
    found = {"safety": made.manifest.duration_seconds} if made else {}
    last = journal.read(Path(current_app.instance_path))
    if last and last["outcome"] == "restored" and last.get("plain_bytes"):
        scale = backup.manifest.plain_bytes / last["plain_bytes"]
        for name, seconds in journal.durations(last).items():
            if name in ("verify", "replace"):
                found[name] = seconds * scale
    return found


def _next_due(job: str) -> datetime | None:
    statement = select(PeriodicTask.next_due_at).where(
        PeriodicTask.job == job, PeriodicTask.enabled, PeriodicTask.next_due_at.is_not(None)
    )
    return db.session.scalar(statement.order_by(PeriodicTask.next_due_at).limit(1))
