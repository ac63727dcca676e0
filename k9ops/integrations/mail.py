"""The one door to the mail server: a letter to one address, with bounded waits and checked TLS."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.headerregistry import Address
from email.mime.base import MIMEBase
from email.utils import make_msgid
from typing import TYPE_CHECKING

from flask import Flask, current_app
from flask_mail import Connection, Mail, Message

from k9ops.core.errors import Unavailable
from k9ops.core.settings import current_settings

if TYPE_CHECKING:
    from config import Settings

#: Of each send and receive; without it a server that says nothing would hold us for ever.
TIMEOUT_SECONDS = 10.0
#: Our own name at the server; asking a name server for it might not end.
_OWN_NAME = "k9ops"


class MailFault(Unavailable):
    """The mail server did not take the letter."""

    code = "mail_failed"


class MaybeSent(MailFault):
    """The connection ended in mid-work: nobody knows whether the letter went out."""

    code = "mail_unknown"


def init_mail(app: Flask, settings: "Settings") -> None:
    """Tell Flask-Mail the settings; opens no connection."""
    app.config.update(
        MAIL_SERVER=settings.mail_server,
        MAIL_PORT=settings.mail_port,
        MAIL_USERNAME=settings.mail_username or None,
        MAIL_PASSWORD=settings.mail_password or None,
        MAIL_USE_TLS=settings.mail_use_tls and not settings.mail_use_ssl,
        MAIL_USE_SSL=settings.mail_use_ssl,
        MAIL_DEFAULT_SENDER=settings.mail_default_sender or None,
        MAIL_DEBUG=False,  # it would print the password
        MAIL_SUPPRESS_SEND=False,
    )
    Mail(app)


def send(to: str, subject: str, text: str, html: str, *, name: str) -> str:
    """Send one letter, `name` being who it is from; returns its Message-ID.

    Raises:
        MailFault: it was not sent, and what to look after.
        MaybeSent: nobody knows.
    """
    sender = current_settings().mail_default_sender
    headers = {"Auto-Submitted": "auto-generated"}
    letter = _Letter(subject, [to], text, html, sender=sender, extra_headers=headers)
    letter.sender_name = name
    letter.msgId = make_msgid(domain=sender.rpartition("@")[2])
    connection = _Connection(current_app.extensions["mail"])
    with _told(MailFault):
        connection.open()
    try:
        with _told(MaybeSent):
            connection.send(letter)
    finally:
        connection.close()
    return letter.msgId


class _Letter(Message):
    """Flask-Mail's, which tears a long Arabic name of the sender apart."""

    sender_name = ""

    def _message(self) -> MIMEBase:
        found = super()._message()
        del found["From"]
        found["From"] = Address(self.sender_name, addr_spec=str(self.sender))  # type: ignore[assignment]
        return found


class _Connection(Connection):
    """Flask-Mail's, which neither bounds its waits nor checks the server's certificate."""

    def configure_host(self) -> smtplib.SMTP | smtplib.SMTP_SSL:
        mail, context = self.mail, ssl.create_default_context()
        where = mail.server, mail.port, _OWN_NAME
        if mail.use_ssl:
            host: smtplib.SMTP = smtplib.SMTP_SSL(*where, timeout=TIMEOUT_SECONDS, context=context)
        else:
            host = smtplib.SMTP(*where, timeout=TIMEOUT_SECONDS)
        try:
            if mail.use_tls:
                host.starttls(context=context)
            if mail.username and mail.password:
                host.login(mail.username, mail.password)
        except BaseException:
            host.close()
            raise
        return host

    def open(self) -> None:
        self.host = self.configure_host()

    def close(self) -> None:
        """Take leave; whatever it answers, the letter was taken or was not."""
        if self.host:
            with suppress(OSError):
                self.host.quit()


#: What of smtplib means for certain that the letter was not taken.
_REFUSED = (
    smtplib.SMTPResponseException,
    smtplib.SMTPRecipientsRefused,
    smtplib.SMTPNotSupportedError,
)


@contextmanager
def _told(otherwise: type[MailFault]) -> Iterator[None]:
    """Faults of the server in our words; those that do not tell what happened are `otherwise`."""
    try:
        yield
    except OSError as error:  # all of smtplib's are
        kind = MailFault if isinstance(error, _REFUSED) else otherwise
        raise kind(f"The mail server: {_words(error)}.", hint=_hint(error)) from None


def _words(error: OSError) -> str:
    """What it said; never a password, and never the letter."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "it refused the address"
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        return f"{error.smtp_code} {' '.join(text.split())[:200]}"
    if isinstance(error, TimeoutError):
        return f"no answer within {TIMEOUT_SECONDS:g} s"
    return " ".join(str(error.strerror or str(error) or type(error).__name__).split())[:200]


def _hint(error: OSError) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "Look after MAIL_USERNAME and MAIL_PASSWORD."
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "Look after the person's e-mail address."
    if isinstance(error, ssl.SSLError | smtplib.SMTPNotSupportedError):
        return "Look after MAIL_USE_TLS, MAIL_USE_SSL, and the server's certificate."
    return "Look after MAIL_SERVER and MAIL_PORT, and whether it runs."
