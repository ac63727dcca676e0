"""The page of backups: list, make, verify, download."""

from pathlib import Path

from flask import Blueprint, current_app, flash, redirect, render_template, request, send_file
from flask.typing import ResponseReturnValue

from k9ops.accounts.sessions import current_actor
from k9ops.audit.exports import export_list
from k9ops.audit.services import Target, record
from k9ops.backups import journal, queries, words
from k9ops.backups.health import LONGEST
from k9ops.backups.jobs import RUN_BACKUP, VERIFY
from k9ops.backups.queries import BackupFilter, ShownBackup
from k9ops.core.db import db
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.core.paging import Order
from k9ops.core.settings import current_settings
from k9ops.jobs import dispatch
from k9ops.web.exports import KINDS, Column
from k9ops.web.filters import Choice, choice, sorted_by
from k9ops.web.formats import isolated
from k9ops.web.security import requires

bp = Blueprint("backups", __name__, template_folder="templates")

_COLUMNS = (
    Column[ShownBackup](_l("Taken"), lambda one: one.created_at),
    Column[ShownBackup](_l("File"), lambda one: one.file),
    Column[ShownBackup](_l("Verified"), lambda one: words.STATES[queries.state_of(one.backup)]),
    Column[ShownBackup](_l("Verified at"), lambda one: one.verified_at),
    Column[ShownBackup](_l("Why refused"), lambda one: one.refused_reason),
    Column[ShownBackup](_l("Size in bytes"), lambda one: one.bytes),
    Column[ShownBackup](_l("Rows"), lambda one: one.rows),
    Column[ShownBackup](_l("On Drive"), lambda one: one.is_uploaded),
    Column[ShownBackup](_l("Kept as"), lambda one: words.kept_as(one.kept_as)),
    Column[ShownBackup](_l("SHA-256"), lambda one: one.backup.manifest.sha256),
)


@bp.get("/backups")
@requires("backups.view")
def list_backups() -> str:
    """Newest first, with the age of the last good one."""
    before, after = request.args.get("before"), request.args.get("after")
    choices, order = _choices(), _order()
    overview = queries.overview((RUN_BACKUP, VERIFY), _wanted(choices), order, before, after)
    instance = Path(current_app.instance_path)
    return render_template(
        "backups/list.html",
        backups=overview.page.items,
        page=overview.page,
        choices=choices,
        order=order,
        kept_as=words.kept_as,
        last_good=overview.last_good,
        kept=overview.kept,
        working=overview.working,
        makes=any(one.run.job == RUN_BACKUP for one in overview.working),
        how_far=words.how_far,
        restores=journal.is_running(instance),
        last_restore=journal.read(instance),
        limit=LONGEST.get(current_settings().backup_frequency),
        next_due=overview.next_due,
    )


@bp.get(f"/backups/export/{KINDS}")
@requires("backups.view")
def export(kind: str) -> ResponseReturnValue:
    """What the filters show, as a file."""
    rows = queries.all_backups(_wanted(_choices()), _order())
    return export_list(kind, _("Backups"), _COLUMNS, rows, actor=current_actor())


def _order() -> Order:
    return sorted_by(*queries.HEADS, default="-taken")


def _choices() -> list[Choice]:
    return [
        choice("state", _l("Verified"), words.STATES),
        choice("place", _l("Where"), words.PLACES),
    ]


def _wanted(choices: list[Choice]) -> BackupFilter:
    return BackupFilter(*(one.value for one in choices))


@bp.post("/backups/make")
@requires("backups.make")
def make() -> ResponseReturnValue:
    """Start a backup and lead to its run."""
    actor = current_actor()
    run = dispatch(RUN_BACKUP, {}, requested_by=actor.name)
    record(db.session(), actor, "backup.requested", Target("run", run.id, RUN_BACKUP))
    db.session.commit()
    return redirect(f"/runs/{run.id}", 303)


@bp.post("/backups/<name>/verify")
@requires("backups.make")
def verify(name: str) -> ResponseReturnValue:
    """Start a run that decodes the whole of it; the page shows its progress."""
    backup, actor = queries.folder().named(name), current_actor()
    run = dispatch(VERIFY, {"file": backup.file}, requested_by=actor.name)
    target = Target("backup", backup.file, backup.file)
    record(db.session(), actor, "backup.verify_requested", target, {"run": run.id})
    db.session.commit()
    told = _("%(file)s is being verified.", file=isolated(backup.file))
    flash(told, "ok")
    return redirect("/backups", 303)


@bp.get("/backups/<name>/download")
@requires("backups.download")
def download(name: str) -> ResponseReturnValue:
    """The file itself, in pieces; who took it stands in the audit trail."""
    backup = queries.folder().named(name)
    target = Target("backup", backup.file, backup.file)
    record(db.session(), current_actor(), "backup.downloaded", target)
    db.session.commit()
    return send_file(backup.path, "application/zstd", as_attachment=True, max_age=0)
