"""What can go wrong with Google Drive, and what its answers mean."""

import http.client
import json
import re
from typing import Any

import httplib2
from google.auth.exceptions import GoogleAuthError, RefreshError
from googleapiclient.errors import HttpError

from k9ops.core.errors import Unavailable
from k9ops.core.text import clean

#: All that the libraries raise when a call fails. (A page instead of JSON is a proxy's.)
FAILURES = (
    HttpError,
    GoogleAuthError,
    httplib2.HttpLib2Error,
    http.client.HTTPException,
    OSError,
    json.JSONDecodeError,
)
_FULL = {
    "storageQuotaExceeded",
    "quotaExceeded",
    "teamDriveFileLimitExceeded",
    "numChildrenInNonRootLimitExceeded",
}
_TOO_MANY = {
    "rateLimitExceeded",
    "userRateLimitExceeded",
    "sharingRateLimitExceeded",
    "dailyLimitExceeded",
}


class Fault(Unavailable):
    """Drive did not do what was asked; `passing` when it may do so in a while."""

    code = "drive_refused"
    passing = False


class Outage(Fault):
    """Drive or the way to it is down."""

    code = "drive_outage"
    passing = True

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="Try again when Google Drive can be reached.")


class TooManyCalls(Fault):
    """Drive asks for a pause."""

    code = "drive_rate_limit"
    passing = True


class SessionGone(Outage):
    """The session of an upload is over, or not where we believed it; it may be begun anew."""

    code = "drive_session_gone"


class Unreadable(Fault):
    """The backup here cannot be read, or is gone."""

    code = "backup_unreadable"

    def __init__(self, error: OSError) -> None:
        hint = "Look at the disk of the backups, verify the file, then upload it again."
        super().__init__(f"The backup cannot be read here: {error.strerror}.", hint=hint)


class BadKey(Fault):
    """The key file of the service account is no good."""

    code = "drive_bad_key"

    def __init__(self, why: str) -> None:
        hint = "Download a key (JSON) of the service account and name its file in the setting."
        message = f"GOOGLE_DRIVE_CREDENTIALS_FILE: {why}."
        super().__init__(message, field="GOOGLE_DRIVE_CREDENTIALS_FILE", hint=hint)


def fault_of(error: Exception, *, in_session: bool = False) -> Fault:
    """The fault that an error of the libraries is; `in_session`: of a piece of an upload."""
    if isinstance(error, HttpError):
        return _answered(error.resp.status, *_read(error.content), in_session=in_session)
    if isinstance(error, RefreshError) and not error.retryable:
        return _unauthorised(_tail(error.args[0] if error.args else ""))
    if isinstance(error, json.JSONDecodeError):
        return Outage("What answers at the address of Google Drive does not speak its language.")
    return Outage(f"Google Drive cannot be reached: {_said(error) or type(error).__name__}.")


def _answered(status: int, reasons: set[str], said: str, *, in_session: bool) -> Fault:
    if status == 429 or reasons & _TOO_MANY:
        hint = "Try again in an hour, or have the project's limit raised."
        return TooManyCalls(f"Google Drive asks for fewer calls ({status}{said}).", hint=hint)
    if status == 408 or status >= 500:
        return Outage(f"Google Drive is out of order ({status}{said}).")
    if in_session and status in (404, 410):
        return SessionGone(f"Google Drive has forgotten the upload ({status}).")
    if in_session and status in (400, 416):  # not where we believed it: ask and go on
        return Outage(f"Google Drive refuses the piece ({status}{said}).")
    return _refused(status, reasons, said)


def _refused(status: int, reasons: set[str], said: str) -> Fault:
    if status == 401:
        return _unauthorised(said)
    if reasons & _FULL:
        text = f"The shared drive is full ({status}{said})."
        hint = "Free space in it, have its limit raised, or lower BACKUP_KEEP_*."
        return Fault(text, code="drive_quota", hint=hint)
    if status == 403:
        text = f"The service account may not do this in the folder ({status}{said})."
        hint = (
            "Make it a content manager of the shared drive, and switch on the project's Drive API."
        )
        return Fault(text, code="drive_forbidden", hint=hint)
    if status == 404:
        text = f"The folder of GOOGLE_DRIVE_FOLDER_ID is not there for the account ({status})."
        hint = "Check the id, and that the account is a member of the shared drive."
        return Fault(text, code="drive_no_folder", field="GOOGLE_DRIVE_FOLDER_ID", hint=hint)
    return Fault(f"Google Drive refuses ({status}{said}).", hint="Look into the run's log.")


def _unauthorised(said: str) -> Fault:
    text = f"Google refuses the key of the service account: revoked, deleted or wrong (401{said})."
    hint = "Make a new key and put it into the file of GOOGLE_DRIVE_CREDENTIALS_FILE."
    return Fault(text, code="drive_unauthorised", hint=hint)


def _read(content: bytes) -> tuple[set[str], str]:
    """The reasons and the sentence of an error's document; nothing of what is none."""
    try:
        error: dict[str, Any] = json.loads(content)["error"]
        reasons = {one.get("reason", "") for one in error.get("errors", [])}
        return reasons, _tail(error.get("message", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return set(), ""


def _tail(text: object) -> str:
    said = _said(text)
    return f": {said}" if said else ""


def _said(text: object) -> str:
    """What the other side said, in short, without the address of a session."""
    return clean(re.sub(r"\S*upload_id=\S*", "…", str(text)).strip().rstrip("."), 300)
