"""Where people are signed in: a row for each browser, which goes when the session ends."""

import logging
import secrets
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import contains_eager

from k9ops.accounts import passwords, queries
from k9ops.accounts.models import BrowserSession, User
from k9ops.audit.services import Actor, record
from k9ops.core.clock import db_now, read_now, utcnow
from k9ops.core.db import changed, db
from k9ops.core.errors import NotFound
from k9ops.core.i18n import gettext as _
from k9ops.core.text import clean

log = logging.getLogger(__name__)

#: Counted from the sign-in, however busy the session is.
LONGEST = timedelta(hours=8)
_NOTED_EVERY = timedelta(minutes=1)


def begin(user: User, *, ip: str | None, user_agent: str) -> str:
    """Keep a new session of the person and return its key, which only the browser holds."""
    key, now = secrets.token_urlsafe(32), read_now(db.session())
    db.session.execute(delete(BrowserSession).where(BrowserSession.began_at <= now - LONGEST))
    db.session.add(
        BrowserSession(
            user_id=user.id,
            key_sha256=passwords.hash_secret(key),
            version=user.session_version,
            began_at=now,
            last_seen_at=now,
            ip=ip,
            user_agent=clean(user_agent, 300),
        )
    )
    db.session.commit()
    return key


def find(key: str) -> BrowserSession | None:
    """The living session of that key with its person, who is active; one statement."""
    query = (
        select(BrowserSession)
        .join(BrowserSession.user)
        .options(contains_eager(BrowserSession.user))
        .where(BrowserSession.key_sha256 == passwords.hash_secret(key))
    )
    prepared = {"prepare": True}
    found = db.session.scalars(query, execution_options=prepared).one_or_none()
    if found is None or not found.user.active or found.version != found.user.session_version:
        return None
    return found if found.began_at > utcnow() - LONGEST else None


def note_seen(session: BrowserSession, ip: str | None) -> None:
    """Note that it is in use when the last note is old: a page never fails or waits long for it."""
    if session.last_seen_at > utcnow() - _NOTED_EVERY:
        return
    own = BrowserSession.id == session.id, BrowserSession.last_seen_at == session.last_seen_at
    try:
        # Beside the page's own transaction: it has read the person, and goes on with them.
        with db.engine.begin() as connection:
            connection.execute(
                update(BrowserSession).where(*own).values(last_seen_at=db_now(), ip=ip)
            )
    except SQLAlchemyError as error:
        log.warning("a session's last use was not noted: %s", type(error).__name__)


def sessions_of(user: User) -> list[BrowserSession]:
    """The person's living sessions, the one in use last first."""
    query = select(BrowserSession).where(
        BrowserSession.user_id == user.id,
        BrowserSession.version == user.session_version,
        BrowserSession.began_at > utcnow() - LONGEST,
    )
    order = BrowserSession.last_seen_at.desc(), BrowserSession.id.desc()
    return list(db.session.scalars(query.order_by(*order)))


def sign_out(session: BrowserSession, *, actor: Actor) -> None:
    """End this session; the person's others go on. A copy of the cookie opens nothing more."""
    user = session.user
    db.session.execute(delete(BrowserSession).where(BrowserSession.id == session.id))
    record(db.session(), actor, "user.signed_out", queries.target_of(user))
    db.session.commit()


def end(user: User, session_id: int, *, actor: Actor) -> None:
    """End one session of the person.

    Raises:
        NotFound: it is not theirs, or has ended already.
    """
    own = BrowserSession.id == session_id, BrowserSession.user_id == user.id
    if not changed(db.session.execute(delete(BrowserSession).where(*own))):
        db.session.rollback()
        raise NotFound(_("This session has ended already."))
    record(db.session(), actor, "session.ended", queries.target_of(user))
    db.session.commit()


def end_others(user: User, kept_id: int, *, actor: Actor) -> int:
    """End all sessions of the person but one; returns how many."""
    others = BrowserSession.user_id == user.id, BrowserSession.id != kept_id
    ended = db.session.execute(
        delete(BrowserSession).where(*others).returning(BrowserSession.id)
    ).all()
    target = queries.target_of(user)
    record(db.session(), actor, "session.others_ended", target, {"count": len(ended)})
    db.session.commit()
    return len(ended)


def end_all(user: User) -> None:
    """End every session of the person; the caller commits."""
    user.session_version = User.session_version + 1
    db.session.execute(delete(BrowserSession).where(BrowserSession.user_id == user.id))


def sign_out_everywhere(user: User, *, actor: Actor) -> None:
    """End every session of the person."""
    end_all(user)
    target = queries.target_of(user)
    record(db.session(), actor, "user.signed_out_everywhere", target)
    db.session.commit()
