"""A Google Drive of the test's own: version 3 of its protocol, with faults that are asked for."""

import hashlib
import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.drive_protocol import ACCOUNT, FOLDER, DriveHandler, Session


@dataclass
class Trouble:
    """A fault that the next `times` fitting requests meet.

    `where`: `token`, `list`, `begin`, `piece`, `query`, `get`, `delete`. `kind`: `answer` (with
    this status and reason), `cut` (the connection is reset in the middle of the body).
    """

    where: str
    status: int = 503
    reason: str = "backendError"
    kind: str = "answer"
    #: It waits until so many bytes of uploads have arrived.
    after_bytes: int = 0
    times: float = 1


class DriveServer:
    """Serves the token endpoint and the API on a free port of the loopback."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, Any]] = {}
        self.sessions: dict[str, Session] = {}
        self.troubles: list[Trouble] = []
        #: What was asked, in order: `begin`, `piece` …
        self.asked: list[str] = []
        #: Bytes of uploads that arrived, those of refused and cut pieces too.
        self.bytes_received = 0
        self.may_delete = True
        #: So many searches look into some of the drives only.
        self.searches_cut_short = 0
        #: Slows uploads down, so that a test can meet them.
        self.seconds_per_piece = 0.0
        self.on_piece: Callable[[], object] = lambda: None
        self.tokens: set[str] = set()
        self.lock = threading.RLock()
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.public_key = self._key.public_key()
        handler = type("Handler", (DriveHandler,), {"drive": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def settings(self, folder: Path) -> dict[str, object]:
        """The settings of a product that uploads here."""
        return {
            "google_drive_credentials_file": self.write_key(folder / "drive-key.json"),
            "google_drive_folder_id": FOLDER,
            "google_drive_api_root": self.url,
        }

    def write_key(self, path: Path) -> Path:
        """The key file of the service account."""
        pem = self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        key = {
            "type": "service_account",
            "project_id": "unit",
            "private_key_id": "1",
            "private_key": pem.decode(),
            "client_email": ACCOUNT,
            "token_uri": f"{self.url}/token",
        }
        path.write_text(json.dumps(key))
        return path

    def meet(self, where: str, status: int = 503, reason: str = "backendError", **how: Any) -> None:
        """Have requests meet a trouble."""
        self.troubles.append(Trouble(where, status, reason, **how))

    def forget_sessions(self) -> None:
        self.sessions.clear()

    def revoke_tokens(self) -> None:
        self.tokens.clear()

    def live(self) -> list[dict[str, Any]]:
        """The files that are not in the bin."""
        return [file for file in self.files.values() if not file["trashed"]]

    def add(self, name: str, content: bytes, properties: dict[str, str], **other: Any) -> str:
        """Put a file there."""
        file = {"id": uuid.uuid4().hex, "name": name, "parents": [FOLDER], "trashed": False}
        file |= {"size": str(len(content)), "appProperties": properties}
        file |= {"sha256Checksum": hashlib.sha256(content).hexdigest(), **other}
        self.files[file["id"]] = file
        return file["id"]

    def trouble(self, where: str) -> Trouble | None:
        """The one that this request meets."""
        with self.lock:
            for trouble in self.troubles:
                fits = trouble.where == where and self.bytes_received >= trouble.after_bytes
                if fits and trouble.times > 0:
                    trouble.times -= 1
                    return trouble
        return None

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
