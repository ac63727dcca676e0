"""WeasyPrint: from HTML to PDF, with the files it is given and without any network.

It is imported when the first document is made: that costs more than the rest of a command.
"""

import ctypes
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from k9ops.core.errors import Unavailable

_LIBRARIES = (
    "libgobject-2.0.so.0",
    "libpango-1.0.so.0",
    "libpangoft2-1.0.so.0",
    "libharfbuzz.so.0",
    "libharfbuzz-subset.so.0",
    "libfontconfig.so.1",
)


@dataclass(frozen=True)
class Pdf:
    """A document, and how many pages it has."""

    content: bytes
    pages: int


@cache
def missing_libraries() -> tuple[str, ...]:
    """The libraries of the system that WeasyPrint needs and this machine lacks; asked once."""
    return tuple(name for name in _LIBRARIES if not _loads(name))


def make_pdf(html: str, base: Path, known: Sequence[Path]) -> Pdf:
    """Set the page in `html`; its addresses count from the folder `base`.

    Only files in `base` and those of `known`, which are files or folders, are read. What else the
    page asks for is left out, with a line in the log.

    Raises:
        Unavailable: a library of the system is missing.
    """
    if missing := missing_libraries():
        hint = "Run `make setup`, which installs them or names the one command."
        raise Unavailable(f"Libraries are missing: {', '.join(missing)}.", hint=hint)
    from weasyprint import HTML

    for chatty in ("weasyprint.progress", "fontTools"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    fetcher = _fetcher([path.resolve() for path in (base, *known)])
    page = HTML(string=html, base_url=f"{base.as_uri()}/", url_fetcher=fetcher)
    document = page.render()
    return Pdf(document.write_pdf(), len(document.pages))


def _fetcher(known: Sequence[Path]) -> Any:
    from weasyprint.urls import URLFetcher

    class KnownFiles(URLFetcher):  # type: ignore[misc]
        """Gives what is known, and what a page or a picture carries in itself."""

        def fetch(self, url: str, headers: dict[str, str] | None = None) -> Any:
            if not url.startswith("data:") and not _is_known(url, known):
                raise ValueError("not a file of the document")
            return super().fetch(url, headers)

    return KnownFiles()


def _is_known(url: str, known: Sequence[Path]) -> bool:
    parts = urlsplit(url)
    path = Path(url2pathname(parts.path)).resolve()
    local = parts.scheme == "file" and not parts.netloc
    return local and any(path.is_relative_to(one) for one in known)


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True
