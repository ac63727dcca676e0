"""Why a backup is refused or not uploaded, in translated words; commands tell more detail."""

from collections.abc import Iterable
from typing import Any

from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.web import formats

REFUSALS: dict[str, Any] = {
    "unknown_backup": _l("There is no such backup."),
    "size_differs": _l("The file has another size than its manifest says."),
    "hash_differs": _l("The SHA-256 of the file is not the one its manifest says."),
    "manifest_of_another": _l("The manifest beside it is that of another file."),
    "manifest_missing": _l("There is no manifest beside it."),
    "manifest_unreadable": _l("The manifest beside it cannot be read."),
    "not_decodable": _l("It cannot be decoded to its end."),
    "integrity_failed": _l("The database in it is damaged."),
    "rows_differ": _l("It holds other rows than its manifest says."),
    "head_differs": _l("It stands at another migration than its manifest says."),
    "other_database": _l("It is of another kind of database than the live one."),
    "unknown_schema": _l("It names no migration, so nothing can be made of it."),
    "newer_schema": _l("A newer version of the application made it. Install that one first."),
    "no_space": _l("The disk is full."),
    "live_damaged": _l("The live database is damaged; nothing of it could be kept safe."),
    "not_upgraded": _l("It is restored, but its tables could not be brought up to date."),
    "restore_failed": _l("The database refused it, so all was undone."),
    "not_started": _l("Its process could not be started."),
}

UPLOAD_FAULTS: dict[str, Any] = {
    "drive_bad_key": _l("The key file of the service account is missing or no key."),
    "drive_unauthorised": _l("Google refuses the key of the service account."),
    "drive_forbidden": _l("The service account may not write to the folder."),
    "drive_no_folder": _l("The folder is not there, or not for the service account."),
    "drive_quota": _l("The shared drive is full."),
    "drive_rate_limit": _l("Google Drive asks for fewer calls."),
    "drive_outage": _l("Google Drive could not be reached, or is out of order."),
    "drive_session_gone": _l("Google Drive forgot the upload again and again."),
    "drive_checksum": _l("What arrived has another checksum than the backup."),
    "drive_time_limit": _l("The time limit passed before all of it was sent."),
}

#: What is known of a backup; where its copies are; by which rule it is kept.
STATES: dict[str, Any] = {
    "whole": _l("Whole"),
    "hash": _l("Hash written, not yet decoded"),
    "refused": _l("Refused"),
}
PLACES: dict[str, Any] = {"disk": _l("Disk alone"), "drive": _l("Disk + Drive")}
KEPT: dict[str, Any] = {
    "last": _l("newest"),
    "daily": _l("daily"),
    "weekly": _l("weekly"),
    "monthly": _l("monthly"),
}


def kept_as(rules: Iterable[str]) -> str:
    """The rules that keep a backup, in words."""
    return f"{_(',')} ".join(str(KEPT[rule]) for rule in rules)


def refusal(code: str, message: str) -> str:
    """The words of a refusal; `message` for a code that this version does not know."""
    return str(REFUSALS.get(code, message))


def is_upload_fault(code: str | None) -> bool:
    """Whether the code of a run's error tells of Google Drive."""
    return (code or "").startswith("drive_")


def upload_fault(code: str) -> str:
    """The words of why an upload failed."""
    return str(UPLOAD_FAULTS.get(code, _l("Google Drive refuses it.")))


def how_far(done: float, total: float | None) -> str:
    """How many bytes of how many."""
    if not total:
        return formats.size(done)
    share = formats.percent(min(done / total, 1))
    sizes = {"done": formats.size(done), "total": formats.size(total)}
    return _("%(share)s: %(done)s of %(total)s", share=share, **sizes)
