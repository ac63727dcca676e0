"""Icons and the mark, inlined as SVG: one request fewer each, and they take the text's colour."""

import re
from functools import cache
from pathlib import Path

from markupsafe import Markup

FOLDER = Path(__file__).parent / "static" / "vendor" / "icons"
HALF = (
    '<circle cx="12" cy="12" r="9.5"/><path d="M12 2.5a9.5 9.5 0 0 0 0 19z" fill="currentColor"/>'
)
#: Signs that point along the reading direction are mirrored with it.
MIRRORED = {"chevron-left", "chevron-right", "arrow-left", "arrow-right", "undo-2", "log-out"}


@cache
def icon(name: str, size: int = 16) -> Markup:
    """The icon as SVG; hidden from screen readers, because a word always stands beside it."""
    classes = "icon mirror" if name in MIRRORED else "icon"
    if name == "loader-circle":
        classes += " turns"
    stroke = "1.6" if size >= 28 else "2"
    return Markup(  # noqa: S704  (our own files)
        f'<svg class="{classes}" width="{size}" height="{size}" viewBox="0 0 24 24" fill="none" '
        f'stroke="currentColor" stroke-width="{stroke}" stroke-linecap="round" '
        f'stroke-linejoin="round" aria-hidden="true" focusable="false">{_drawing(name)}</svg>'
    )


@cache
def _drawing(name: str) -> str:
    if name == "half":
        return HALF
    path = FOLDER / f"{name}.svg"
    if not FOLDER.exists():
        return ""  # They could not be fetched (`make setup` said so); the words are enough.
    if not path.exists():
        raise LookupError(f"icon {name!r} is missing: list it in k9ops/web/icons.txt, `make setup`")
    body = re.sub(r"<!--.*?-->", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    inner = body[body.index(">", body.index("<svg")) + 1 : body.rindex("</svg>")]
    return re.sub(r"\s+", " ", inner).strip()
