"""The job that makes a document."""

from typing import Any

from k9ops.core.db import new_id
from k9ops.core.errors import K9Error, Unavailable
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.jobs import PermanentError, Retry, current_run, job
from k9ops.jobs.queries import get_run
from k9ops.reports import services
from k9ops.reports.queries import MAKE_DOCUMENT

_DEFAULTS: dict[str, Any] = {}


@job(
    MAKE_DOCUMENT,
    title=_l("Make a document"),
    queue="reports",
    timeout_seconds=900,
    soft_timeout_seconds=600,
    retry=Retry(attempts=3, delay_seconds=60),
    isolation="process",
    arguments={
        "report": _l("Key of the document"),
        "arguments": _l("What it is of"),
        "language": _l("Language (ar or en)"),
    },
)
def generate_pdf_report(
    report: str, arguments: dict[str, Any] = _DEFAULTS, language: str = "ar"
) -> dict[str, Any]:
    """Make a report of the catalogue as a PDF, keep it in DATA_DIR, and list it on its page.

    Executed again for the same run it finds the document that is there.
    """
    run = current_run()
    by = (get_run(run.id).requested_by if run.id else None) or ""
    try:
        made = services.make_document(
            run.id or new_id(), report, arguments, language, by=by, check=run.check
        )
    except K9Error as error:
        # The run keeps one text, so the remedy goes into it.
        text = f"{error.message} {error.hint}".strip()
        if isinstance(error, Unavailable):
            raise type(error)(text, code=error.code) from error
        raise PermanentError(text, error.code) from error
    kept = ("pages", "bytes", "sha256", "path", "report", "title", "language")
    return {"document": made.id} | {name: getattr(made, name) for name in kept}
