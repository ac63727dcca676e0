"""The one door to Google Drive: a folder of a shared drive, as a service account sees it.

Import it only where it is needed: its libraries are large and slow to load. The address of an
upload's session is a secret (it needs no sign-in), so no error and no log line holds one.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Self, TypeVar

import httplib2
from google.oauth2.service_account import Credentials
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build_from_document
from googleapiclient.discovery_cache import get_static_doc
from googleapiclient.http import HttpRequest, MediaIoBaseUpload

from k9ops.integrations.drive_faults import (
    FAILURES,
    BadKey,
    Fault,
    Outage,
    Unreadable,
    fault_of,
)

T = TypeVar("T")

SCOPES = ["https://www.googleapis.com/auth/drive"]
#: A multiple of 256 KiB. What a fault costs at most, besides the time.
CHUNK_BYTES = 4 << 20
#: Of each send and receive; without it a stalled upload would hang for ever.
TIMEOUT_SECONDS = 60
#: Between tries; progress begins them anew.
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
#: Each call says so: a service account has no files but those in shared drives.
_SHARED = {"supportsAllDrives": True}
_FIELDS = "id,name,size,sha256Checksum,appProperties"
_WITH_PROPERTY = (
    "'{folder}' in parents and trashed = false"
    " and appProperties has {{ key='{key}' and value='{value}' }}"
)


def unwatched() -> None:
    """A check that never stops anything."""


@dataclass(frozen=True)
class NewFile:
    """A file to be uploaded, and what is known of it."""

    path: Path
    name: str
    size: int
    sha256: str
    #: Other files of the folder with the same value of `identity` are earlier tries of this one.
    identity: str
    properties: dict[str, str]
    description: str = ""


@dataclass(frozen=True)
class RemoteFile:
    """A file as Drive has it."""

    id: str
    name: str
    size: int
    #: Empty until Drive has computed it.
    sha256: str
    properties: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, found: dict[str, Any]) -> "RemoteFile":
        return cls(
            found["id"],
            found.get("name", ""),
            int(found.get("size", -1)),
            found.get("sha256Checksum", ""),
            found.get("appProperties", {}),
        )

    def is_same(self, new: NewFile) -> bool:
        return (self.size, self.sha256) == (new.size, new.sha256)


class Patience:
    """The pauses between failures in a row."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._left = list(PAUSES)

    def renew(self) -> None:
        """Something went well."""
        self._left = list(PAUSES)

    def wait(self, fault: Fault) -> None:
        """Wait before another try, or raise the fault when none would help or none is left."""
        if not fault.passing or not self._left:
            raise fault from None
        ends_at = time.monotonic() + self._left.pop(0)
        while (left := ends_at - time.monotonic()) > 0:
            self._check()
            time.sleep(min(left, 0.2))


class Folder:
    """A folder of a shared drive; `check` is called while it waits and may raise to stop it."""

    def __init__(
        self, key_file: Path, folder_id: str, root: str, check: Callable[[], None] = unwatched
    ) -> None:
        self.id = folder_id
        self._check = check
        self._service = _service(key_file, root)
        self._files = self._service.files()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._service.close()

    def find(self, key: str, value: str) -> list[RemoteFile]:
        """The files with that application property, in no order."""
        query = _WITH_PROPERTY.format(folder=self.id, key=key, value=value)
        request = self._files.list(
            q=query,
            corpora="allDrives",
            includeItemsFromAllDrives=True,
            pageSize=1000,
            fields=f"nextPageToken,incompleteSearch,files({_FIELDS})",
            **_SHARED,
        )
        found: list[RemoteFile] = []
        while request is not None:
            answer = self._tried(partial(_whole_answer, request))
            found += map(RemoteFile.read, answer.get("files", []))
            request = self._files.list_next(request, answer)
        return [one for one in found if one.properties.get(key) == value]

    def remove(self, file: RemoteFile) -> None:
        """Delete it, or move it to the bin where the account may not delete; safe to repeat."""
        try:
            self._tried(self._files.delete(fileId=file.id, **_SHARED).execute)
        except Fault as fault:
            if fault.code == "drive_no_folder":  # gone already
                return
            if fault.code != "drive_forbidden":
                raise
            binned = self._files.update(fileId=file.id, body={"trashed": True}, **_SHARED)
            self._tried(binned.execute)

    def upload(self, new: NewFile, session: str, keep: Callable[[str, int], None]) -> RemoteFile:
        """The file as Drive has it, uploaded unless it is there already, its checksum compared.

        `session` is that of an earlier try, which is gone on with from where Drive has it.
        `keep` is told the session and the bytes that Drive has, after each piece.

        Raises:
            Fault: it is not there; `passing` tells whether another try may help.
        """
        with _opened(new.path) as source:
            remote = self._sent(new, source, session, keep)
        remote = self._hashed(remote)
        if not remote.is_same(new):
            keep("", 0)  # nothing can go on from here
            self.remove(remote)
            raise Fault(
                "What arrived on Drive has another checksum than the file's manifest says.",
                code="drive_checksum",
                hint="Verify the backup; if it is whole, upload it again.",
            )
        return remote

    def _sent(
        self, new: NewFile, source: BinaryIO, session: str, keep: Callable[[str, int], None]
    ) -> RemoteFile:
        if not session and (found := self._found(new)):
            return found
        request, patience = self._request(new, source, session), Patience(self._check)
        while True:
            offset = request.resumable_progress
            done, fault = _next_piece(request)
            if done:
                return RemoteFile.read(done)
            if request.resumable_progress > offset:
                patience.renew()
            elif not fault:
                fault = Outage("Google Drive answers, but takes nothing.")
            if fault:
                patience.wait(fault)
            if fault and fault.code == "drive_session_gone":
                if found := self._found(new):
                    return found
                request = self._request(new, source, "")
            keep(request.resumable_uri or "", request.resumable_progress)

    def _request(self, new: NewFile, source: BinaryIO, session: str) -> HttpRequest:
        body = {
            "name": new.name,
            "parents": [self.id],
            "appProperties": new.properties,
            "description": new.description,
        }
        pieces = _Pieces(source, "application/zstd", chunksize=CHUNK_BYTES, resumable=True)
        request = self._files.create(body=body, media_body=pieces, fields=_FIELDS, **_SHARED)
        if session:
            request.resumable_uri = session
            # The library's own state after a fault: it asks first how far the session is.
            request._in_error_state = True
        return request

    def _found(self, new: NewFile) -> RemoteFile | None:
        """The file, if it is there; what is there of it and differs is removed."""
        for found in map(self._hashed, self.find(new.identity, new.properties[new.identity])):
            if found.is_same(new):
                return found
            self.remove(found)
        return None

    def _hashed(self, file: RemoteFile) -> RemoteFile:
        """The file with its checksum, which may come a moment after the file."""
        patience = Patience(self._check)
        while not file.sha256:
            patience.wait(Outage("Drive does not tell the checksum of the file yet."))
            request = self._files.get(fileId=file.id, fields=_FIELDS, **_SHARED)
            file = RemoteFile.read(self._tried(request.execute))
        return file

    def _tried(self, call: Callable[[], T]) -> T:
        patience = Patience(self._check)
        while True:
            self._check()
            try:
                return call()
            except Fault as error:
                fault = error
            except FAILURES as error:
                fault = fault_of(error)
            patience.wait(fault)


class _Pieces(MediaIoBaseUpload):  # type: ignore[misc]  # (has no types)
    """Sends bytes and no stream: after a refused token the same piece is sent again."""

    def has_stream(self) -> bool:
        return False

    def getbytes(self, begin: int, length: int) -> Any:
        """A fault of this machine's disk is none of the network."""
        try:
            return super().getbytes(begin, length)
        except OSError as error:
            raise Unreadable(error) from None


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise Unreadable(error) from None


def _whole_answer(request: HttpRequest) -> dict[str, Any]:
    """What a search found; one that missed a drive would have the file sent a second time."""
    answer: dict[str, Any] = request.execute()
    if answer.get("incompleteSearch"):
        raise Outage("Google Drive could not search all of the shared drive.")
    return answer


def _next_piece(request: HttpRequest) -> tuple[dict[str, Any] | None, Fault | None]:
    """Send one piece; the file when it was the last."""
    in_session = request.resumable_uri is not None
    try:
        _, done = request.next_chunk(num_retries=0)
        return done, None
    except FAILURES as error:
        return None, fault_of(error, in_session=in_session)


def _service(key_file: Path, root: str) -> Any:
    """The client, made from the library's own description of the API: no call is needed for it."""
    root = root.rstrip("/")
    document = json.loads(get_static_doc("drive", "v3"))
    document |= {"rootUrl": f"{root}/", "baseUrl": f"{root}/drive/v3/"}
    http = httplib2.Http(timeout=TIMEOUT_SECONDS)
    http.redirect_codes = http.redirect_codes - {308}  # here it means "go on"
    # Each further try with a new token would send a whole piece again.
    signed_in = AuthorizedHttp(_credentials(key_file), http=http, max_refresh_attempts=1)
    return build_from_document(document, http=signed_in)


def _credentials(key_file: Path) -> Credentials:
    try:
        found: Credentials = Credentials.from_service_account_file(str(key_file), scopes=SCOPES)
        return found
    except OSError as error:
        raise BadKey(f"the file {key_file} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):  # what the library says may quote it
        raise BadKey(f"the file {key_file} is no key of a service account") from None
