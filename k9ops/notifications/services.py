"""Telling people, and noting that they read it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from k9ops.accounts.queries import active_users_with
from k9ops.core.clock import db_now
from k9ops.core.db import changed, db, insert_new
from k9ops.core.text import clean_json
from k9ops.notifications.kinds import is_known
from k9ops.notifications.models import Notification


@dataclass(frozen=True)
class Message:
    """What is told: a registered kind, its params, and the page that it leads to."""

    kind: str
    url: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    #: The same key reaches a person once, whoever tells it again and however often.
    dedupe_key: str | None = None


def notify(session: Session, users: Iterable[int], message: Message) -> int:
    """Tell `users` (their ids) in the caller's transaction; returns how many were told now."""
    values = _values_of(message)
    return sum(insert_new(session, Notification, user_id=user, **values) for user in users)


def notify_one(session: Session, user: int, message: Message) -> int:
    """The same for one person and a message that nobody tells twice; its id."""
    row = Notification(user_id=user, **_values_of(message))
    session.add(row)
    session.flush()
    return row.id


def _values_of(message: Message) -> dict[str, Any]:
    if not is_known(message.kind):
        raise LookupError(f"the notification kind {message.kind!r} is not registered")
    return {
        "kind": message.kind,
        "params": clean_json(message.params),
        "url": message.url,
        "dedupe_key": message.dedupe_key,
    }


def notify_holders(session: Session, permission: str, message: Message) -> int:
    """Tell every active person who holds `permission`, in the caller's transaction."""
    return notify(session, active_users_with(session, permission), message)


def mark_read(user_id: int, notification_id: int) -> bool:
    """Note that the person read it; False when it is not theirs or was read before."""
    result = db.session.execute(
        update(Notification)
        .where(Notification.id == notification_id, *_unread_of(user_id))
        .values(read_at=db_now())
    )
    db.session.commit()
    return changed(result)


def mark_all_read(user_id: int, up_to: int | None = None, kind: str = "") -> int:
    """Note that the person read everything, or all of a kind; returns how many were unread.

    `up_to`: only those up to that id, so that what came since stays unread.
    """
    unread = [*_unread_of(user_id)]
    if up_to is not None:
        unread.append(Notification.id <= up_to)
    if kind:
        unread.append(Notification.kind == kind)
    result = db.session.execute(
        update(Notification).where(*unread).values(read_at=db_now()),
        execution_options={"synchronize_session": False},
    )
    db.session.commit()
    return cast("CursorResult[Any]", result).rowcount


def _unread_of(user_id: int) -> tuple[Any, ...]:
    return (Notification.user_id == user_id, Notification.read_at.is_(None))
