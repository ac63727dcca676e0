"""The page of documents: list, ask for one, download."""

import re

from flask import Blueprint, flash, redirect, render_template, request, send_file
from flask.typing import ResponseReturnValue

from k9ops.accounts.sessions import current_actor
from k9ops.audit.exports import export_list
from k9ops.audit.services import Target, record
from k9ops.core.db import db
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import language
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.core.paging import Order, row_key
from k9ops.jobs.models import JobRun
from k9ops.projects.models import Project
from k9ops.projects.scope import Viewer, current_viewer, visible_projects
from k9ops.reports import queries, services
from k9ops.reports.forms import LANGUAGE_TITLES, RequestForm, request_form
from k9ops.reports.models import Document
from k9ops.reports.queries import DocumentFilter
from k9ops.reports.registry import catalogue, get_report
from k9ops.reports.words import asker
from k9ops.schedules.weeks import project_names
from k9ops.web import formats
from k9ops.web.exports import KINDS, Column
from k9ops.web.filters import Choice, Day, choice, day_choice, search_words, sorted_by
from k9ops.web.forms import saved
from k9ops.web.security import may, requires

bp = Blueprint("reports", __name__, template_folder="templates")


_COLUMNS = (
    Column[Document](_l("Document"), lambda one: one.title),
    Column[Document](_l("Report"), lambda one: _report_title(one.report)),
    Column[Document](
        _l("Project"), lambda one: formats.named(one.project) if one.project else None
    ),
    Column[Document](_l("Language"), lambda one: LANGUAGE_TITLES[one.language]),
    Column[Document](_l("Pages"), lambda one: one.pages),
    Column[Document](_l("Size in bytes"), lambda one: one.bytes),
    Column[Document](_l("Made"), lambda one: one.created_at),
    Column[Document](_l("Asked for by"), lambda one: asker(one.requested_by)),
    Column[Document](_l("SHA-256"), lambda one: one.sha256),
)


@bp.get("/documents")
@requires("documents.view")
def list_documents() -> str:
    """Those of one's projects, newest first; above them what one has asked for."""
    viewer, order = current_viewer(), _order()
    choices, days = _choices(viewer), _days()
    before, after = request.args.get("before"), request.args.get("after")
    wanted = _wanted(choices, days)
    page = queries.list_documents(viewer, wanted, order, before=before, after=after)
    return render_template(
        "reports/list.html",
        page=page,
        documents=page.items,
        search=wanted.search,
        choices=[*choices, *days],
        order=order,
        requests=queries.open_requests(current_actor().name),
        reports=catalogue(),
        languages=LANGUAGE_TITLES,
        asker=asker,
    )


@bp.get(f"/documents/export/{KINDS}")
@requires("documents.view")
def export(kind: str) -> ResponseReturnValue:
    """What the filters show, as a file."""
    viewer = current_viewer()
    rows = queries.all_documents(viewer, _wanted(_choices(viewer), _days()), _order())
    return export_list(kind, _("Documents"), _COLUMNS, rows, actor=current_actor())


def _order() -> Order:
    return sorted_by(*queries.HEADS, default="-made")


def _choices(viewer: Viewer) -> list[Choice]:
    titles = {key: report.title for key, report in catalogue().items()}
    return [
        choice("report", _l("Report"), titles),
        choice("project", _l("Project"), project_names(viewer)),
    ]


def _days() -> list[Day]:
    return [day_choice("from", _l("From")), day_choice("to", _l("To"))]


def _wanted(choices: list[Choice], days: list[Day]) -> DocumentFilter:
    report, project = (one.value for one in choices)
    first, last = days
    project_id = row_key(project) if project else None
    return DocumentFilter(search_words(), report, project_id, first.begins, last.ends)


def _report_title(key: str) -> object:
    """The report's title; its key where this version does not know it."""
    return catalogue()[key].title if key in catalogue() else key


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
