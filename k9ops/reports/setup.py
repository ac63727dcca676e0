"""Hang reports into the application."""

from typing import Any

from flask import Flask

from k9ops.core.health import register_check
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.jobs.models import JobRun
from k9ops.projects.scope import current_viewer
from k9ops.reports import catalogue, models  # noqa: F401  (reports and tables become known)
from k9ops.reports.cli import generate_report
from k9ops.reports.health import documents_check
from k9ops.reports.queries import document_of
from k9ops.reports.views import bp
from k9ops.web.nav import nav_item
from k9ops.web.panels import add_panel


def init_reports(app: Flask) -> None:
    """The page, its place in the navigation, the command, and the check of `/readyz`."""
    app.register_blueprint(bp)
    app.cli.add_command(generate_report)
    add_panel("run", "reports/_of_run.html", "documents.view", _made_by)
    nav_item("reports.list_documents", _l("Documents"), "file-text", "documents.view", "unit")
    register_check("documents", documents_check)


def _made_by(run: JobRun) -> dict[str, Any]:
    return {"document": document_of(current_viewer(), run)}
