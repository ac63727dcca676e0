"""Why a backup is refused, in words that are translated; the command line has more detail."""

from typing import Any

from k9ops.core.i18n import lazy_gettext as _l

REFUSALS: dict[str, Any] = {
    "size_differs": _l("The file has another size than its manifest says."),
    "hash_differs": _l("The SHA-256 of the file is not the one its manifest says."),
    "manifest_of_another": _l("The manifest beside it is that of another file."),
    "manifest_missing": _l("There is no manifest beside it."),
    "manifest_unreadable": _l("The manifest beside it cannot be read."),
    "not_decodable": _l("It cannot be decoded to its end."),
    "integrity_failed": _l("The database in it is damaged."),
    "rows_differ": _l("It holds other rows than its manifest says."),
    "head_differs": _l("It stands at another migration than its manifest says."),
}


def refusal(code: str, message: str) -> str:
    """The words of a refusal; `message` for a code that this version does not know."""
    return str(REFUSALS.get(code, message))
