"""The page of documents: list, ask for one, download."""

import re

from flask import Blueprint, flash, redirect, render_template, request, send_file
from flask.typing import ResponseReturnValue

from k9ops.accounts.sessions import current_actor
from k9ops.audit.services import Target, record
from k9ops.core.db import db
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import language
from k9ops.core.paging import row_key
from k9ops.jobs.models import JobRun
from k9ops.projects.models import Project
from k9ops.projects.scope import Viewer, current_viewer, visible_projects
from k9ops.reports import queries, services
from k9ops.reports.forms import LANGUAGE_TITLES, RequestForm, request_form
from k9ops.reports.models import Document
from k9ops.reports.registry import catalogue, get_report
from k9ops.reports.words import asker
from k9ops.web import formats
from k9ops.web.forms import saved
from k9ops.web.security import may, requires

bp = Blueprint("reports", __name__, template_folder="templates")


@bp.get("/documents")
@requires("documents.view")
def list_documents() -> str:
    """Those of one's projects, newest first; above them what one has asked for."""
    before, after = (request.args.get(name, type=row_key) for name in ("before", "after"))
    page = queries.list_documents(current_viewer(), before=before, after=after)
    return render_template(
        "reports/list.html",
        page=page,
        documents=page.items,
        requests=queries.open_requests(current_actor().name),
        reports=catalogue(),
        languages=LANGUAGE_TITLES,
        asker=asker,
    )


@bp.route("/documents/new/<key>", methods=["GET", "POST"])
@requires("documents.make")
def new_document(key: str) -> ResponseReturnValue:
    """Ask for a document and go to its run, or back to the list for who sees no runs."""
    report, viewer = get_report(key), current_viewer()
    projects = _projects(viewer)
    form = request_form(report, projects, language() or "ar")
    run = saved(form, lambda: _request(viewer, key, form))
    if run is None:
        page = render_template("reports/new.html", report=report, form=form, projects=projects)
        return page, 422 if form.errors else 200
    if may("runs.view"):
        return redirect(f"/runs/{run.id}", 303)
    flash(_("The document is being made. It appears here when it is ready."), "ok")
    return redirect("/documents", 303)


@bp.get("/documents/<int(max=2147483647):document_id>/download")
@requires("documents.view")
def download(document_id: int) -> ResponseReturnValue:
    """The file itself; who took it stands in the audit trail."""
    document = queries.get_document(current_viewer(), document_id)
    path = queries.file_of(document)
    target = Target("document", document.id, document.title)
    record(db.session(), current_actor(), "document.downloaded", target)
    name = _file_name(document)
    db.session.commit()
    return send_file(path, "application/pdf", as_attachment=True, download_name=name, max_age=0)


def _request(viewer: Viewer, key: str, form: RequestForm) -> JobRun:
    arguments = {name: form[name].data for name in get_report(key).arguments}
    language = form["language"].data
    return services.request_document(viewer, key, arguments, language, actor=current_actor())


def _projects(viewer: Viewer) -> dict[str, str]:
    """Names by code, for a list to choose from; active ones first."""
    query = visible_projects(viewer).order_by(Project.status != "active", Project.name)
    return {one.code: formats.named(one) for one in db.session.scalars(query)}


def _file_name(document: Document) -> str:
    parts = [document.report, *document.arguments.values(), document.language]
    return re.sub(r"[^\w.-]+", "-", "_".join(parts)) + ".pdf"
