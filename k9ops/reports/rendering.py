"""From a report to a PDF: the frame of every document, in its language."""

import logging
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import current_app, render_template

from k9ops.core.db import db
from k9ops.core.errors import Unavailable
from k9ops.core.i18n import LANGUAGES, force_locale
from k9ops.core.settings import current_settings
from k9ops.integrations.weasyprint import Pdf, make_pdf
from k9ops.reports.registry import Report, Sheet
from k9ops.web import formats

logger = logging.getLogger(__name__)

_DIRECTIONS = {"L": "ltr", "R": "rtl", "AL": "rtl"}
FRAME = Path(__file__).parent / "templates" / "reports" / "pdf"


@dataclass(frozen=True)
class Making:
    """What head and foot of every page tell: by which run, when and for whom it was made."""

    run_id: str
    at: datetime
    by: object

    @property
    def days(self) -> dict[str, str]:
        """The day in each language, for the two sides of the head."""
        return {language: self._day(language) for language in LANGUAGES}

    def _day(self, language: str) -> str:
        with force_locale(language):
            return formats.day(self.at)


def render(
    report: Report, values: Mapping[str, Any], language: str, making: Making
) -> tuple[Sheet, Pdf]:
    """Make the document with the values of its arguments; ends the session's transaction.

    Raises:
        Unavailable: fonts or libraries are missing.
    """
    static = static_folder()
    if not fonts_there():
        raise Unavailable("The fonts of documents are missing.", hint="Run `make setup`.")
    logo = _logo(static)
    with force_locale(language):
        sheet = report.function(**values)
        html = render_template(
            f"reports/pdf/{sheet.template}",
            sheet=sheet,
            making=making,
            logo=logo.as_uri(),
            text_direction=text_direction,
            **sheet.context,
        )
    db.session.rollback()  # no transaction is open while the page is set and written
    return sheet, make_pdf(html, FRAME, [static, logo])


def text_direction(text: object) -> str:
    """`ltr` or `rtl` by the first letter that has a direction; empty when none has."""
    found = (_DIRECTIONS.get(unicodedata.bidirectional(sign)) for sign in str(text))
    return next(filter(None, found), "")


def static_folder() -> Path:
    return Path(str(current_app.static_folder))


def fonts_there() -> bool:
    """Whether `make setup` could fetch them."""
    return (static_folder() / "vendor" / "fonts").is_dir()


def _logo(static: Path) -> Path:
    """The unit's own, else the mark of the product."""
    own = current_settings().unit_logo
    if own is None:
        return static / "favicon.svg"
    if own.is_file():
        return own
    logger.warning("UNIT_LOGO: there is no file %s; the document has the product's mark", own)
    return static / "favicon.svg"
