"""Hang backups into the application."""

from datetime import datetime

from flask import Flask

from k9ops.backups.cli import COMMANDS
from k9ops.backups.health import last_backup_check
from k9ops.backups.ledger import RESTORE
from k9ops.backups.listeners import init_listeners
from k9ops.backups.restore_views import bp as restore_bp
from k9ops.backups.views import bp
from k9ops.backups.words import REFUSALS, refusal
from k9ops.core.health import register_check
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.jobs.registry import register_title
from k9ops.notifications.kinds import Kind, Params, register_kind
from k9ops.web import errors, formats
from k9ops.web.nav import nav_item


def init_backups(app: Flask) -> None:
    """The page, its place in the navigation, the commands, and what is told to people."""
    app.register_blueprint(bp)
    app.register_blueprint(restore_bp)
    init_listeners()
    for command in COMMANDS:
        app.cli.add_command(command)
    nav_item("backups.list_backups", _l("Backups"), "database-backup", "backups.view", "control")
    register_title(RESTORE, _l("Restore a backup"))
    errors.tell(REFUSALS)
    register_check("last_backup", last_backup_check)
    register_kind(
        "backup.restored",
        Kind(
            icon="archive-restore",
            family="part",
            title=_l("A backup was restored"),
            text=_l("%(by)s restored %(file)s. All data is that of %(data_of)s."),
            words=_in_words,
        ),
    )
    register_kind(
        "backup.restore_failed",
        Kind(
            icon="circle-x",
            family="bad",
            title=_l("A backup could not be restored"),
            text=_l("%(by)s tried to restore %(file)s. %(why)s"),
            words=_why_in_words,
        ),
    )


def _in_words(params: Params) -> Params:
    """The stored instant as people read it."""
    try:
        return {**params, "data_of": formats.full(datetime.fromisoformat(params["data_of"]))}
    except ValueError:
        return params


def _why_in_words(params: Params) -> Params:
    """The stored code as people read it."""
    return {**params, "why": refusal(params["code"], params["code"])}
