"""Mails to people about their accounts, sent within a run."""

from collections.abc import Callable

from k9ops.accounts.models import User
from k9ops.core.i18n import force_locale
from k9ops.core.i18n import gettext as _
from k9ops.core.settings import current_settings
from k9ops.integrations import mail
from k9ops.jobs import PermanentError, current_run
from k9ops.web.formats import unit_name
from k9ops.web.letters import Letter, drawn

_NOT_SENT = {"sent": False}


def is_reached(user: User) -> bool:
    """Whether a mail reaches the person."""
    return bool(current_settings().mail_on and user.active and user.email)


def foot() -> str:
    """Why the person gets it."""
    return _("You get this because your account has this address. You change it in your account.")


def send_once(user: User, language: str, write: Callable[[], Letter], *, to: str) -> None:
    """Send the person at that address what `write` makes, in their language if they chose one.

    It is an effect of the run: what may have gone is not sent again.

    Raises:
        PermanentError: it was not sent, or nobody knows; a retry sends only what was not sent.
    """
    if not current_settings().mail_on:
        raise PermanentError("Mail is not set up: MAIL_SERVER is not named.", "mail_off")
    with current_run().effect("mail") as effect:
        if effect.state == "unknown" and effect.receipt != _NOT_SENT:
            text = "An earlier attempt ended in mid-work; the mail may have gone."
            raise PermanentError(text, mail.MaybeSent.code)
        if effect.state != "done":
            try:
                effect.receipt = {"message_id": _send(to, user.language or language, write)}
            except mail.MailFault as fault:
                if not isinstance(fault, mail.MaybeSent):
                    effect.keep(_NOT_SENT)
                raise PermanentError(f"{fault.message} {fault.hint}", fault.code) from fault


def _send(to: str, language: str, write: Callable[[], Letter]) -> str:
    """Its Message-ID."""
    with force_locale(language):
        letter = write()
        text, html = drawn(letter)
        return mail.send(to, letter.subject, text, html, name=unit_name())
