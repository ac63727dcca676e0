"""A mail server of the tests' own, and the ways in which one refuses or falls silent."""

import email
import ssl
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from tests.support.waiting import free_port

USER, PASSWORD = "k9", "a long way to the sea"


class MailServer:
    """Runs from its making until `close`; keeps what it took in `letters`.

    `refuses` is its answer to each address, `drops` ends the connection instead of an answer to a
    letter, `tls` is the context of STARTTLS, `asks` that a sign-in is looked at.
    """

    def __init__(
        self,
        *,
        refuses: str = "",
        drops: bool = False,
        tls: ssl.SSLContext | None = None,
        asks: bool = False,
    ) -> None:
        self.letters: list[EmailMessage] = []
        #: The same as they came.
        self.raw: list[bytes] = []
        self._refuses, self._drops = refuses, drops
        self.port = free_port()
        options: dict[str, Any] = {"tls_context": tls, "require_starttls": bool(tls)}
        if asks:
            options |= {"authenticator": _authenticate, "auth_require_tls": False}
        self._controller = Controller(self, "127.0.0.1", self.port, **options)
        self._controller.start()

    def close(self) -> None:
        self._controller.stop()

    async def handle_RCPT(  # noqa: N802  (aiosmtpd names it)
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if self._refuses:
            return self._refuses
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802  (aiosmtpd names it)
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if self._drops:
            server.transport.abort()
        self.raw.append(envelope.content)
        self.letters.append(email.message_from_bytes(envelope.content, policy=default))
        return "250 taken"

    def settings(self, **others: object) -> dict[str, object]:
        """Those of a unit that sends its mails here."""
        return settings_of(self.port) | others


def settings_of(port: int) -> dict[str, Any]:
    """Those of a unit whose mail server listens at that port of this machine, without TLS."""
    return {
        "mail_server": "127.0.0.1",
        "mail_port": port,
        "mail_use_tls": False,
        "mail_default_sender": "k9@unit.example",
        "public_url": "https://k9.unit.example",
    }


def _authenticate(
    _server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: Any
) -> Any:
    is_right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    # Not `handled`: else the server says nothing at all to a wrong password.
    return AuthResult(success=is_right, handled=False)


def text_of(letter: EmailMessage, kind: str = "plain") -> str:
    return letter.get_body((kind,)).get_content()


def way_in(letter: EmailMessage) -> str:
    """The link of the mail, as it leads within the server."""
    [line] = [one for one in text_of(letter).splitlines() if one.startswith("https://")]
    return line.removeprefix(settings_of(0)["public_url"])
