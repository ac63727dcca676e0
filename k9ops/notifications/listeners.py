"""What people are told of their own accounts, by mail too where one reaches them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from k9ops.accounts import mailing, managing, password_links, services, two_step
from k9ops.accounts.models import User
from k9ops.accounts.signals import account_touched
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.jobs import enqueue
from k9ops.notifications.kinds import Kind, register_kind
from k9ops.notifications.mails import SEND
from k9ops.notifications.services import Message, notify_one

KINDS = {
    password_links.RESET: Kind(
        "key-round",
        "part",
        _l("Your password was set by a link in a mail"),
        _l("You were signed out everywhere. If it was not you, tell an administrator."),
    ),
    services.PASSWORD_SET: Kind(
        "key-round",
        "part",
        _l("A new password was set for your account"),
        _l("An administrator did it, and you were signed out everywhere. Ask them for it."),
    ),
    services.PASSWORD_CHANGED: Kind(
        "key-round",
        "ok",
        _l("Your password was changed"),
        _l("All other browsers were signed out. If it was not you, tell an administrator."),
    ),
    managing.EMAIL_CHANGED: Kind(
        "key-round",
        "part",
        _l("The e-mail address of your account was changed"),
        _l("Mails do not go to the old one any more. If it was not you, tell an administrator."),
    ),
    services.CODES_LOCKED: Kind(
        "shield-x",
        "bad",
        _l("Wrong codes locked your sign-in"),
        _l(
            "Your password was entered, then wrong codes. If it was not you, somebody knows"
            " your password: set a new one."
        ),
    ),
    services.RECOVERY_CODE_USED: Kind(
        "key-round",
        "part",
        _l("A recovery code opened your account"),
        _l(
            "Recovery codes left: %(left)s. If it was not you, set a new password, make new"
            " codes, and tell an administrator."
        ),
    ),
    two_step.ON: Kind(
        "shield-check",
        "ok",
        _l("Your two-step verification was switched on"),
        _l(
            "A code of your app is asked for after your password. If it was not you, tell an"
            " administrator."
        ),
    ),
    two_step.OFF: Kind(
        "shield-x",
        "part",
        _l("Your two-step verification was switched off"),
        _l(
            "Your password alone opens your account. If it was not you, set a new password and"
            " tell an administrator."
        ),
    ),
    two_step.RENEWED: Kind(
        "key-round",
        "ok",
        _l("You have new recovery codes"),
        _l(
            "Those until now open nothing more. If it was not you, set a new password and tell"
            " an administrator."
        ),
    ),
    two_step.RESET: Kind(
        "shield-x",
        "part",
        _l("Your two-step verification was reset"),
        _l(
            "An administrator did it. Your password alone opens your account until you set"
            " it up anew."
        ),
    ),
}


def init_listeners() -> None:
    """Listen to the accounts; safe to repeat."""
    for name, kind in KINDS.items():
        register_kind(name, kind)
    account_touched.connect(tell_person)


def tell_person(
    kind: str, *, session: Session, user: User, params: Mapping[str, Any] | None = None
) -> None:
    """Tell the person whose account it is, in the transaction that touches it."""
    told = notify_one(session, user.id, Message(kind, "/account", dict(params or {})))
    if mailing.is_reached(user):
        arguments = {"notification_id": told}
        # Whoever took the account over gave it an address of their own.
        before = {"to": user.email} if kind == managing.EMAIL_CHANGED else {}
        enqueue(SEND, arguments | before)
