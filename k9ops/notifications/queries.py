"""Reading one's own notifications."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, bindparam, func, select

from k9ops.core.db import db
from k9ops.core.errors import NotFound
from k9ops.core.i18n import gettext as _
from k9ops.core.once import once_a_page
from k9ops.core.paging import Page, in_batches, keyset_page, values_of
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
    kind: str = "",
) -> Page[Notification]:
    """One person's notifications, newest first, one page by key; `read` leaves the others out."""
    query = _of(user_id, read, kind)
    return keyset_page(
        db.session(), query, Notification.id, limit=limit, before=before, after=after
    )


def all_notifications(
    user_id: int, *, read: bool | None = None, kind: str = ""
) -> Iterator[Notification]:
    """The same, all of them, for a file."""
    return in_batches(db.session(), _of(user_id, read, kind), Notification.id)


def _of(user_id: int, read: bool | None, kind: str) -> Select[Notification]:
    query: Select[Notification] = select(Notification).where(Notification.user_id == user_id)
    if read is not None:
        unread = Notification.read_at.is_(None)
        query = query.where(~unread if read else unread)
    return query.where(Notification.kind == kind) if kind else query


def kinds_told(user_id: int) -> list[str]:
    """The kinds of which the person has any."""
    return values_of(db.session(), Notification.kind, Notification.user_id == user_id)


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


def has_unread(user_id: int, kind: str) -> bool:
    """Whether the person has not read something of that kind; of any, where it is empty."""
    found = _of(user_id, False, kind).with_only_columns(Notification.id).limit(1)
    return db.session.scalar(found) is not None


def _count_unread(user_id: int) -> int:
    """One look into one index."""
    return int(_UNREAD.scalar(db.session(), user=user_id))


def _unread() -> Any:
    mine = Notification.user_id == bindparam("user")
    unread = select(Notification.id).where(mine, Notification.read_at.is_(None))
    return select(func.count()).select_from(unread.limit(MOST_COUNTED).subquery())


_UNREAD = KeptQuery(_unread)
