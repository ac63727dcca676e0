"""Notifications that go by mail as well."""

from k9ops.accounts import mailing
from k9ops.accounts.models import User
from k9ops.core.db import db
from k9ops.core.i18n import gettext as _
from k9ops.core.settings import current_settings
from k9ops.notifications.kinds import show
from k9ops.notifications.models import Notification
from k9ops.web import formats
from k9ops.web.letters import Letter

SEND = "notifications.send_by_mail"


def send(notification_id: int, to: str | None = None) -> bool:
    """Send it to its person, within a run; False when there is nobody to send it to any more.

    It goes `to` an address that they had, or to the one that they have.

    Raises as `mailing.send_once` does.
    """
    row = db.session.get(Notification, notification_id)
    user = db.session.get(User, row.user_id) if row else None
    address = to or (user and user.email)
    if row is None or user is None or not user.active or not address:
        return False
    mailing.send_once(user, "ar", lambda: _letter(row, _foot(to)), to=address)
    return True


def _foot(former: str | None) -> str:
    """Why they get it: they have the address, or they had it."""
    if former is None:
        return mailing.foot()
    return _("You get this because your account had this address until now.")


def _letter(row: Notification, foot: str) -> Letter:
    told = show(row)
    return Letter(
        subject=told.title,
        title=told.title,
        before=(told.text,),
        button=_("Open your account"),
        url=f"{current_settings().public_url}{row.url}",
        after=(_("It happened on %(when)s.", when=formats.full(row.created_at)),),
        foot=foot,
    )
