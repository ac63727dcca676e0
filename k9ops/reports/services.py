"""Making a document, and asking for one."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import delete, select

from k9ops.accounts.queries import find_user
from k9ops.audit.services import Actor, Target, record
from k9ops.core.clock import utcnow
from k9ops.core.db import db, insert_new
from k9ops.core.errors import BadInput, K9Error, Unavailable
from k9ops.core.files import written_beside
from k9ops.core.i18n import LANGUAGES
from k9ops.core.i18n import gettext as _
from k9ops.integrations.weasyprint import Pdf
from k9ops.jobs import enqueue
from k9ops.jobs.models import JobRun
from k9ops.projects.scope import Viewer, get_visible_project
from k9ops.reports.models import Document
from k9ops.reports.queries import MAKE_DOCUMENT, data_dir, file_of
from k9ops.reports.registry import Report, Sheet, get_report
from k9ops.reports.rendering import Making, render
from k9ops.reports.words import asker

FOLDER = "reports"


def checked(report: str, arguments: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Arguments for the job: in full, so that a repeated run makes the same document.

    Raises:
        UnknownReport, BadInput: something is wrong; the field is named.
    """
    known = get_report(report)
    _check_language(language)
    return {"report": known.key, "arguments": known.pinned(arguments), "language": language}


def request_document(
    viewer: Viewer, report: str, arguments: Mapping[str, Any], language: str, *, actor: Actor
) -> JobRun:
    """Have a document of a project made that they may see; commits.

    Raises:
        UnknownReport, BadInput: something is wrong; the field is named.
        NotFound: the project is not theirs.
    """
    given = checked(report, arguments, language)
    project = get_report(report).read(given["arguments"]).get("project")
    if project is not None:
        get_visible_project(viewer, project.id)
    run = enqueue(MAKE_DOCUMENT, given, requested_by=actor.name)
    record(db.session(), actor, "document.requested", Target("run", run.id, report), given)
    db.session.commit()
    return run


def make_document(
    run_id: str,
    report: str,
    arguments: Mapping[str, Any],
    language: str,
    *,
    by: str = "",
    check: Callable[[], None] = lambda: None,
) -> Document:
    """Make the document of a run, unless an earlier attempt did; commits.

    `check` is called between the steps and may stop it.

    Raises:
        UnknownReport, BadInput: something is wrong with the request.
        Unavailable: fonts, libraries or the folder cannot be used.
    """
    if (found := _made(run_id)) is not None:
        return found
    known = get_report(report)
    _check_language(language)
    pinned = known.pinned(arguments)
    sheet, pdf = render(known, known.read(pinned), language, Making(run_id, utcnow(), _named(by)))
    check()
    values = _columns(known, sheet, pdf)
    values |= {"arguments": pinned, "language": language, "requested_by": by[:200]}
    return _publish(run_id, values, pdf.content)


def _publish(run_id: str, values: dict[str, Any], content: bytes) -> Document:
    """Row and file, the file's name given within the row's transaction.

    So an attempt that was taken for dead and comes too late writes neither over the other's.
    """
    path = f"{FOLDER}/{run_id}.pdf"
    target = data_dir() / path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with written_beside(target, content) as publish:
            if insert_new(db.session(), Document, run_id=run_id, path=path, **values):
                publish()
            db.session.commit()
    except OSError as error:
        db.session.rollback()
        hint = _("Check DATA_DIR and the space on its disk.")
        text = f"{error.filename or target}: {error.strerror}."
        raise Unavailable(text, code="no_data_dir", hint=hint) from error
    made = _of_run(run_id)
    assert made, "this attempt or another wrote it"
    return made


def _made(run_id: str) -> Document | None:
    """What an earlier attempt of the run made; a row whose file is not whole is removed."""
    found = _of_run(run_id)
    if found is None:
        return None
    try:
        file_of(found)
    except K9Error:
        db.session.execute(delete(Document).where(Document.id == found.id))
        db.session.commit()
        return None
    return found


def _of_run(run_id: str) -> Document | None:
    return db.session.scalars(select(Document).where(Document.run_id == run_id)).one_or_none()


def _columns(report: Report, sheet: Sheet, pdf: Pdf) -> dict[str, Any]:
    return {
        "report": report.key,
        "project_id": sheet.project_id,
        "title": sheet.title[:300],
        "pages": pdf.pages,
        "bytes": len(pdf.content),
        "sha256": hashlib.sha256(pdf.content).hexdigest(),
    }


def _named(by: str) -> object:
    """How people call whoever asked; a text that is translated when it is shown."""
    user = find_user(by)
    return user.display_name if user else asker(by)


def _check_language(language: str) -> None:
    if language not in LANGUAGES:
        hint = _("There are: %(names)s.", names=", ".join(LANGUAGES))
        text = _("There is no language %(name)s.", name=language)
        raise BadInput(text, field="language", hint=hint)
