"""Reading one's own notifications."""

from typing import Any

from sqlalchemy import bindparam, func, select

from k9ops.core.db import db
from k9ops.core.errors import NotFound
from k9ops.core.i18n import gettext as _
from k9ops.core.once import once_a_page
from k9ops.core.paging import Page, keyset_page
from k9ops.core.prepared_statements import KeptQuery
from k9ops.notifications.models import Notification

#: Enough to say "99+", and the count stays quick.
MOST_COUNTED = 100


def list_notifications(
    user_id: int,
    *,
    limit: int = 25,
    before: int | None = None,
    after: int | None = None,
    read: bool | None = None,
) -> Page[Notification]:
    """One person's notifications, newest first, one page by key; `read` leaves the others out."""
    query = select(Notification).where(Notification.user_id == user_id)
    if read is not None:
        unread = Notification.read_at.is_(None)
        query = query.where(~unread if read else unread)
    return keyset_page(
        db.session(), query, Notification.id, limit=limit, before=before, after=after
    )


def get_notification(user_id: int, notification_id: int) -> Notification:
    """One of the person's own.

    Raises:
        NotFound: there is none of that id, or it is somebody else's.
    """
    row = db.session.get(Notification, notification_id)
    if row is None or row.user_id != user_id:
        raise NotFound(_("There is no such notification."))
    return row


def newest_id(user_id: int) -> int | None:
    """The person's newest notification, so that "all" can mean all until now."""
    return db.session.scalar(
        select(func.max(Notification.id)).where(Notification.user_id == user_id)
    )


def unread_count(user_id: int) -> int:
    """How many the person has not read, at most 100; the bell and a page ask once together."""
    return once_a_page(("unread", user_id), lambda: _count_unread(user_id))


def _count_unread(user_id: int) -> int:
    """One look into one index."""
    return int(_UNREAD.scalar(db.session(), user=user_id))


def _unread() -> Any:
    mine = Notification.user_id == bindparam("user")
    unread = select(Notification.id).where(mine, Notification.read_at.is_(None))
    return select(func.count()).select_from(unread.limit(MOST_COUNTED).subquery())


_UNREAD = KeptQuery(_unread)
