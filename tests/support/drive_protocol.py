"""What a Google Drive answers: version 3 of its protocol, over HTTP."""

import base64
import json
import re
import socket
import struct
import time
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

if TYPE_CHECKING:
    from tests.support.drive import DriveServer

FOLDER = "folder-in-a-shared-drive"
ACCOUNT = "backups@unit.iam.example"
#: For whom Google's library signs, wherever the token is fetched.
AUDIENCE = "https://oauth2.googleapis.com/token"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
#: Pieces are multiples of it, and of a cut piece so much is kept.
GRAIN = 256 * 1024
_BLOCK = 64 * 1024


@dataclass
class Session:
    """A resumable upload under way."""

    metadata: dict[str, Any]
    size: int
    received: bytearray = field(default_factory=bytearray)
    file: dict[str, Any] | None = None


class _Cut(Exception):
    """The connection is reset."""


class DriveHandler(BaseHTTPRequestHandler):
    """Serves the files and sessions of the server that it belongs to."""

    drive: "DriveServer"
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (_Cut, ConnectionError):
            self.close_connection = True

    # What is asked -------------------------------------------------------------------------------

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path == "/drive/v3/files":
            self._guarded("list", self._list)
        elif self._file() is not None:
            self._guarded("get", self._get)
        else:
            self._refuse(404, "notFound")

    def do_DELETE(self) -> None:
        self._guarded("delete", self._delete)

    def do_PATCH(self) -> None:
        self._guarded("update", self._update)

    def do_POST(self) -> None:
        path = urlsplit(self.path).path
        if path == "/token":
            self._token()
        elif path == "/upload/drive/v3/files" and self._query("uploadType") == "resumable":
            self._guarded("begin", self._begin)
        else:
            self._refuse(404, "notFound")

    def do_PUT(self) -> None:
        content_range = self.headers.get("Content-Range", "")
        if match := re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", content_range):
            self._piece(*map(int, match.groups()))
        elif re.fullmatch(r"bytes \*/\d+", content_range):
            self._guarded("query", self._tell_progress, shared=False)
        else:
            self._refuse(400, "badRequest", "no Content-Range")

    def _guarded(self, where: str, answer: Any, *, shared: bool = True) -> None:
        """Answer unless a trouble, the sign-in or a forgotten option speaks against it."""
        self.body = self._read(int(self.headers.get("Content-Length", 0)))
        self.drive.asked.append(where)
        trouble = self.drive.trouble(where)
        if trouble and trouble.kind == "cut":
            self._cut()
        if trouble:
            self._refuse(trouble.status, trouble.reason)
        elif not self._is_signed_in():
            self._refuse(401, "authError", "Invalid Credentials")
        elif shared and self._query("supportsAllDrives") != "true":
            self._refuse(404, "notFound", "supportsAllDrives was forgotten")
        else:
            answer()

    # Signing in ----------------------------------------------------------------------------------

    def _token(self) -> None:
        form = parse_qs(self._read(int(self.headers["Content-Length"])).decode())
        self.drive.asked.append("token")
        if trouble := self.drive.trouble("token"):
            self._json(trouble.status, {"error": trouble.reason, "error_description": "no"})
        elif form.get("grant_type") != [GRANT] or not self._is_signed(form["assertion"][0]):
            self._json(
                400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
            )
        else:
            token = uuid.uuid4().hex
            self.drive.tokens.add(token)
            self._json(200, {"access_token": token, "expires_in": 3600, "token_type": "Bearer"})

    def _is_signed(self, assertion: str) -> bool:
        head, claims, signature = assertion.split(".")
        signed = f"{head}.{claims}".encode()
        try:
            self.drive.public_key.verify(
                _decoded(signature), signed, padding.PKCS1v15(), hashes.SHA256()
            )
        except InvalidSignature:
            return False
        said = json.loads(_decoded(claims))
        return (
            json.loads(_decoded(head))["alg"] == "RS256"
            and said["iss"] == ACCOUNT
            and said["aud"] == AUDIENCE
            and said["exp"] > time.time()
            and "drive" in said["scope"]
        )

    def _is_signed_in(self) -> bool:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        return scheme == "Bearer" and token in self.drive.tokens

    # Files ---------------------------------------------------------------------------------------

    def _list(self) -> None:
        if self._query("includeItemsFromAllDrives") != "true" or not self._query("corpora"):
            self._refuse(400, "badRequest", "files of shared drives were not asked for")
            return
        if self.drive.searches_cut_short:
            self.drive.searches_cut_short -= 1
            self._json(200, {"files": [], "incompleteSearch": True})
            return
        query = self._query("q")
        parent = re.search(r"'([^']+)' in parents", query)
        wanted = re.findall(r"key='([^']+)' and value='([^']+)'", query)
        found = [
            _resource(file, self._query("fields"))
            for file in self.drive.files.values()
            if (not parent or parent[1] in file["parents"])
            and all(file["appProperties"].get(key) == value for key, value in wanted)
            and not ("trashed = false" in query and file["trashed"])
        ]
        start = int(self._query("pageToken") or 0)
        end = start + int(self._query("pageSize") or 100)
        more = {"nextPageToken": str(end)} if end < len(found) else {}
        self._json(200, {"files": found[start:end], **more})

    def _file(self) -> dict[str, Any] | None:
        return self.drive.files.get(urlsplit(self.path).path.rpartition("/")[2])

    def _get(self) -> None:
        self._json(200, _resource(self._file() or {}, self._query("fields")))

    def _delete(self) -> None:
        file = self._file()
        if file is None:
            self._refuse(404, "notFound")
        elif not self.drive.may_delete:
            self._refuse(403, "insufficientFilePermissions")
        else:
            del self.drive.files[file["id"]]
            self._answer(204)

    def _update(self) -> None:
        file = self._file()
        if file is None:
            self._refuse(404, "notFound")
        else:
            file |= json.loads(self.body)
            self._json(200, _resource(file, ""))

    # Uploads -------------------------------------------------------------------------------------

    def _begin(self) -> None:
        metadata = json.loads(self.body)
        if metadata["parents"] != [FOLDER]:
            self._refuse(404, "notFound", f"File not found: {metadata['parents'][0]}.")
            return
        for name, value in metadata.get("appProperties", {}).items():
            assert len(f"{name}{value}".encode()) <= 124, "Drive takes no longer property"
        upload_id = uuid.uuid4().hex
        size = int(self.headers["X-Upload-Content-Length"])
        self.drive.sessions[upload_id] = Session(metadata, size)
        query = f"uploadType=resumable&fields={self._query('fields')}&upload_id={upload_id}"
        self._answer(200, {"Location": f"{self.drive.url}/upload/drive/v3/files?{query}"})

    def _piece(self, first: int, last: int, size: int) -> None:
        length = last - first + 1
        self.drive.asked.append("piece")
        trouble = self.drive.trouble("piece")
        session = self.drive.sessions.get(self._query("upload_id"))
        if trouble and trouble.kind == "cut":
            half = self._received(length // 2)
            if session and len(session.received) == first:
                session.received += half[: len(half) // GRAIN * GRAIN]
            self._cut()
        content = self._received(length)
        self.drive.on_piece()
        time.sleep(self.drive.seconds_per_piece)
        if trouble:
            self._refuse(trouble.status, trouble.reason)
        elif not self._is_signed_in():
            self._refuse(401, "authError", "Invalid Credentials")
        elif session is None:
            self._refuse(404, "notFound")
        elif len(session.received) != first or size != session.size:
            self._refuse(400, "badRequest", "not where the upload is")
        elif length % GRAIN and last != size - 1:
            self._refuse(400, "badRequest", "no multiple of 256 KiB")
        else:
            session.received += content
            self._tell_progress()

    def _received(self, length: int) -> bytes:
        """Read and count as it arrives: tests look at the count while it grows."""
        content = bytearray()
        while len(content) < length:
            block = self._read(min(_BLOCK, length - len(content)))
            with self.drive.lock:
                self.drive.bytes_received += len(block)
            content += block
        return bytes(content)

    def _tell_progress(self) -> None:
        session = self.drive.sessions.get(self._query("upload_id"))
        if session is None:
            self._refuse(404, "notFound")
        elif len(session.received) < session.size:
            last = len(session.received) - 1
            self._answer(308, {"Range": f"bytes=0-{last}"} if last >= 0 else {})
        else:
            if session.file is None:
                known = session.metadata
                file_id = self.drive.add(
                    known["name"],
                    bytes(session.received),
                    known.get("appProperties", {}),
                    description=known.get("description", ""),
                )
                session.file = self.drive.files[file_id]
            self._json(200, _resource(session.file, self._query("fields")))

    # The wire ------------------------------------------------------------------------------------

    def _query(self, name: str) -> str:
        return parse_qs(urlsplit(self.path).query).get(name, [""])[0]

    def _read(self, length: int) -> bytes:
        content = self.rfile.read(length)
        if len(content) < length:
            raise _Cut
        return content

    def _cut(self) -> None:
        """Reset the connection, as a network does that breaks."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        raise _Cut

    def _refuse(self, status: int, reason: str, message: str = "no") -> None:
        error = {"domain": "global", "reason": reason, "message": message}
        self._json(status, {"error": {"code": status, "message": message, "errors": [error]}})

    def _json(self, status: int, document: dict[str, Any]) -> None:
        headers = {"Content-Type": "application/json; charset=UTF-8"}
        self._answer(status, headers, json.dumps(document).encode())

    def _answer(
        self, status: int, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _resource(file: dict[str, Any], fields: str) -> dict[str, Any]:
    """Only what was asked for; without `fields` Drive tells little."""
    inner = re.search(r"files\(([^)]*)\)", fields)
    names = (inner[1] if inner else fields or "id,name,mimeType").split(",")
    return {name: file[name] for name in names if name in file}
