"""Reading documents, as far as somebody may see them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from k9ops.core.clock import utcnow
from k9ops.core.db import db
from k9ops.core.errors import NotFound
from k9ops.core.i18n import gettext as _
from k9ops.core.paging import Order, Page, containing, keyset_page, whole
from k9ops.core.settings import current_settings
from k9ops.jobs.models import JobRun
from k9ops.jobs.states import State
from k9ops.projects.models import Project
from k9ops.projects.scope import Viewer, visible_projects
from k9ops.reports.errors import DocumentDamaged, DocumentMissing
from k9ops.reports.models import Document

MAKE_DOCUMENT = "reports.generate_pdf_report"
PER_PAGE = 25
#: How long one's own failed requests stand above the list.
_REMEMBERED = timedelta(hours=24)
_SHOWN_REQUESTS = 5


def visible_documents(viewer: Viewer) -> Select[Document]:
    """Those of the projects that they may see; those of no project for who sees everything."""
    query = select(Document)
    if viewer.sees_all:
        return query
    projects = visible_projects(viewer).with_only_columns(Project.id)
    return query.where(Document.project_id.in_(projects))


@dataclass(frozen=True)
class DocumentFilter:
    """What to look for; what is empty does not count."""

    search: str = ""
    report: str = ""
    project_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    def apply(self, query: Select[Document]) -> Select[Document]:
        if self.search:
            query = query.where(containing(self.search, Document.title))
        if self.report:
            query = query.where(Document.report == self.report)
        if self.project_id is not None:
            query = query.where(Document.project_id == self.project_id)
        if self.since is not None:
            query = query.where(Document.created_at >= self.since)
        return query if self.until is None else query.where(Document.created_at < self.until)


#: What a list of documents is sorted by; ids are in the order of their making.
HEADS = {"made": Document.id, "title": Document.title, "size": Document.bytes}


def list_documents(
    viewer: Viewer,
    wanted: DocumentFilter,
    order: Order,
    *,
    before: str | None = None,
    after: str | None = None,
) -> Page[Document]:
    """A page of those that match."""
    return keyset_page(
        db.session(),
        _matching(viewer, wanted),
        Document.id,
        limit=PER_PAGE,
        before=before,
        after=after,
        sorting=order.sorting(HEADS, Document.id),
    )


def all_documents(viewer: Viewer, wanted: DocumentFilter, order: Order) -> Iterator[Document]:
    """The same, all of them, for a file."""
    return whole(db.session(), _matching(viewer, wanted), *order.of(HEADS, Document.id))


def _matching(viewer: Viewer, wanted: DocumentFilter) -> Select[Document]:
    return wanted.apply(visible_documents(viewer)).options(joinedload(Document.project))


def get_document(viewer: Viewer, document_id: int) -> Document:
    """Raise NotFound when there is none of that id that they may see."""
    query = visible_documents(viewer).where(Document.id == document_id)
    found: Document | None = db.session.scalars(query).one_or_none()
    if found is None:
        raise NotFound(_("There is no such document."))
    return found


def document_of(viewer: Viewer, run: JobRun) -> Document | None:
    """The document that the run made, if there is one that they may see."""
    if run.job != MAKE_DOCUMENT:
        return None
    query = visible_documents(viewer).where(Document.run_id == run.id)
    return db.session.scalars(query).one_or_none()


def open_requests(name: str) -> list[JobRun]:
    """What that person asked for lately and has not got: under way, or failed; newest first."""
    query = (
        select(JobRun)
        .where(JobRun.job == MAKE_DOCUMENT, JobRun.requested_by == name)
        .where(JobRun.state.in_([State.QUEUED, State.RUNNING, State.FAILED]))
        .where(JobRun.queued_at > utcnow() - _REMEMBERED)
        .order_by(JobRun.id.desc())
    )
    return list(db.session.scalars(query.limit(_SHOWN_REQUESTS)))


def file_of(document: Document) -> Path:
    """The file, which is the one that was made.

    Raises:
        DocumentMissing: there is none.
        DocumentDamaged: it has another content.
    """
    path = data_dir() / document.path
    hint = _("Have it made again.")
    try:
        content = path.read_bytes()
    except OSError as error:
        text = _("The file of this document is missing on the server.")
        raise DocumentMissing(text, hint=hint) from error
    if hashlib.sha256(content).hexdigest() != document.sha256:
        text = _("The file of this document is damaged.")
        raise DocumentDamaged(text, hint=hint)
    return path


def data_dir() -> Path:
    path = current_settings().data_dir
    assert path, "the settings fill it in"
    return path
