"""What people are told of their own accounts."""

from sqlalchemy.orm import Session

from k9ops.accounts import password_links, services, two_step
from k9ops.accounts.models import User
from k9ops.accounts.signals import account_touched
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.notifications.kinds import Kind, register_kind
from k9ops.notifications.services import Message, notify


def init_listeners() -> None:
    """Listen to the accounts; safe to repeat."""
    register_kind(
        two_step.RESET,
        Kind(
            icon="shield-x",
            family="part",
            title=_l("Your two-step verification was reset"),
            text=_l(
                "An administrator did it. Your password alone opens your account until you set"
                " it up anew."
            ),
        ),
    )
    register_kind(
        password_links.RESET,
        Kind(
            icon="key-round",
            family="part",
            title=_l("Your password was set by a link in a mail"),
            text=_l("You were signed out everywhere. If it was not you, tell an administrator."),
        ),
    )
    register_kind(
        services.CODES_LOCKED,
        Kind(
            icon="shield-x",
            family="bad",
            title=_l("Wrong codes locked your sign-in"),
            text=_l(
                "Your password was entered, then wrong codes. If it was not you, somebody knows"
                " your password: set a new one."
            ),
        ),
    )
    account_touched.connect(tell_person)


def tell_person(kind: str, *, session: Session, user: User) -> None:
    """Tell the person whose account it is, in the transaction that touches it."""
    notify(session, [user.id], Message(kind, url="/account"))
