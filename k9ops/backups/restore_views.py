"""Restoring from the page: what will happen, the confirmation, and how far it is.

The page of progress asks the journal alone: the database is what is being replaced, and whoever
is signed in may not be so in the data that comes back.
"""

from pathlib import Path

from flask import Blueprint, abort, current_app, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue

from k9ops.accounts.sessions import current_actor
from k9ops.audit.services import Target, record
from k9ops.backups import journal, queries, words
from k9ops.backups.detached import start_restore
from k9ops.backups.errors import Refused, RestoreFailed, RestoreRunning
from k9ops.backups.folder import Backup
from k9ops.backups.forms import RestoreForm, confirmation
from k9ops.backups.restore_story import story_of
from k9ops.backups.restoring import preview_restore
from k9ops.core.db import db
from k9ops.web.security import SIGNED_IN, ask_to_sign_in, may, public, requires

bp = Blueprint("restore", __name__, template_folder="templates")

#: In the signed cookie: the journal that this browser may follow, signed in or not.
_FOLLOWS = "restore"


@bp.get("/backups/<name>/restore")
@requires("backups.restore")
def ask(name: str) -> ResponseReturnValue:
    """What will happen, and what is lost."""
    return _question(queries.folder().named(name), RestoreForm(), 200)


@bp.post("/backups/<name>/restore")
@requires("backups.restore")
def start(name: str) -> ResponseReturnValue:
    """Start it in a process of its own, then lead to its progress."""
    backup, form = queries.folder().named(name), RestoreForm()
    if _fault(backup) or not form.validate_on_submit():
        return _question(backup, form, 422 if form.errors else 409)
    actor, reason = current_actor(), str(form.reason.data)
    detail = {"reason": reason}
    target = Target("backup", backup.file, backup.file)
    record(db.session(), actor, "backup.restore_requested", target, detail)
    db.session.commit()
    try:
        session[_FOLLOWS] = start_restore(backup, actor, reason)
    except (RestoreRunning, RestoreFailed):  # the journal tells which
        pass
    return redirect(url_for(".progress"), 303)


@bp.get("/backups/restore")
@public
def progress() -> ResponseReturnValue:
    """How far the last restore is, or how it ended."""
    instance = Path(current_app.instance_path)
    document = journal.read(instance)
    if document is None or session.get(_FOLLOWS) != document.get("id"):
        if not may(SIGNED_IN):
            return ask_to_sign_in()
        if not may("backups.restore"):
            abort(403)
        if document is None:
            return redirect(url_for("backups.list_backups"), 303)
    is_running = document["outcome"] is None and journal.is_running(instance)
    return render_template("backups/progress.html", story=story_of(document, is_running))


def _question(backup: Backup, form: RestoreForm, status: int) -> ResponseReturnValue:
    page = render_template(
        "backups/restore.html",
        backup=backup,
        form=form,
        word=confirmation(),
        fault=_fault(backup),
        lost=queries.written_since(backup.created_at),
        seconds=queries.seconds_of_steps(backup),
    )
    return page, status


def _fault(backup: Backup) -> str:
    """Why it cannot be restored; empty where it can."""
    if (refused := backup.manifest.refused) is not None:
        return words.refusal(refused.code, refused.message)
    try:
        preview_restore(backup.file)
    except Refused as error:
        return words.refusal(error.code, error.message)
    return ""
