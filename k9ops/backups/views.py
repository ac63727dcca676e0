"""The page of backups: list, make, verify, download. A restore is a command (`restore-backup`)."""

from flask import Blueprint, flash, redirect, render_template, request, send_file
from flask.typing import ResponseReturnValue

from k9ops.accounts.sessions import current_actor
from k9ops.audit.services import Target, record
from k9ops.backups import queries, services
from k9ops.backups.errors import Refused
from k9ops.backups.jobs import RUN_BACKUP
from k9ops.backups.words import refusal
from k9ops.core.db import db
from k9ops.core.i18n import gettext
from k9ops.jobs import dispatch
from k9ops.web.security import requires

bp = Blueprint("backups", __name__, template_folder="templates")


@bp.get("/backups")
@requires("backups.view")
def list_backups() -> str:
    """Newest first, with the age of the last good one."""
    overview = queries.overview(
        RUN_BACKUP, before=request.args.get("before"), after=request.args.get("after")
    )
    return render_template(
        "backups/list.html",
        backups=overview.page.items,
        page=overview.page,
        last_good=overview.last_good,
        kept=overview.kept,
        running=overview.running,
        next_due=overview.next_due,
    )


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
    """Decode the whole of it now and say what came of it."""
    backup = queries.folder().named(name)
    outcome = "whole"
    try:
        services.verify_backup(str(backup.path))
        flash(gettext("%(file)s is whole.", file=backup.file), "ok")
    except Refused as error:
        outcome = error.code
        why = refusal(error.code, error.message)
        flash(gettext("%(file)s is refused: %(why)s", file=backup.file, why=why), "bad")
    target = Target("backup", backup.file, backup.file)
    record(db.session(), current_actor(), "backup.verified", target, {"outcome": outcome})
    db.session.commit()
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
