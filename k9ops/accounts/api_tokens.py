"""Making and ending the API tokens of programs; every function is one transaction."""

import secrets
from datetime import timedelta

from sqlalchemy import or_, select, update

from k9ops.accounts import passwords, queries
from k9ops.accounts.models import ApiToken, User
from k9ops.audit.services import Actor, record
from k9ops.core.clock import db_now, read_now
from k9ops.core.db import db
from k9ops.core.errors import BadInput, Conflict, NotFound
from k9ops.core.i18n import gettext as _

LONGEST_NAME = 200
MOST_DAYS = 3650
PREFIX = "k9_"  # a mark that scanners for leaked secrets can look for


def create_token(
    username: str, name: str, *, days: int | None, actor: Actor
) -> tuple[str, ApiToken]:
    """Make an API token and return its text, which is kept nowhere, and its row.

    Raises:
        NotFound: nobody has that name.
        BadInput: the token's name is empty or too long.
        Conflict: the person is not active.
    """
    if not 0 < len(name.strip()) <= LONGEST_NAME:
        text = _("A name has 1 to %(most)s characters.", most=LONGEST_NAME)
        raise BadInput(text, field="name")
    user = queries.get_user(username)
    if not user.active:
        raise Conflict(f"{user.username} is not active.", field="username")
    text = PREFIX + secrets.token_urlsafe(32)
    now = read_now(db.session())
    token = ApiToken(
        user_id=user.id,
        name=name.strip(),
        token_sha256=passwords.hash_secret(text),
        created_at=now,
        expires_at=None if days is None else now + timedelta(days=days),
    )
    db.session.add(token)
    detail = {"token": token.name, "days": days}
    record(db.session(), actor, "token.created", queries.target_of(user), detail)
    db.session.commit()
    return text, token


def revoke_tokens(username: str, name: str, *, actor: Actor) -> int:
    """End all of a person's tokens of that name; returns how many.

    Raises:
        NotFound: there is no such person or no such token.
    """
    user = queries.get_user(username)
    ended = db.session.execute(
        update(ApiToken)
        .where(ApiToken.user_id == user.id, ApiToken.name == name, ApiToken.revoked_at.is_(None))
        .values(revoked_at=db_now())
        .returning(ApiToken.id)
    ).all()
    if not ended:
        raise NotFound(f"{user.username} has no token called {name!r}.", field="name")
    detail = {"token": name, "count": len(ended)}
    record(db.session(), actor, "token.revoked", queries.target_of(user), detail)
    db.session.commit()
    return len(ended)


def tokens_of(user: User) -> list[ApiToken]:
    """The person's tokens that open something, the newest first."""
    query = select(ApiToken).where(
        ApiToken.user_id == user.id,
        ApiToken.revoked_at.is_(None),
        or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > db_now()),
    )
    return list(db.session.scalars(query.order_by(ApiToken.id.desc())))


def get_token(user: User, token_id: int) -> ApiToken:
    """Raise NotFound when the person has no such token that opens something."""
    token = db.session.get(ApiToken, token_id)
    if token is None or token.user_id != user.id or token.revoked_at:
        raise NotFound(_("There is no such token, or it has ended already."))
    return token


def revoke(token: ApiToken, *, actor: Actor) -> None:
    """End one token."""
    own = ApiToken.id == token.id, ApiToken.revoked_at.is_(None)
    db.session.execute(update(ApiToken).where(*own).values(revoked_at=db_now()))
    detail = {"token": token.name, "count": 1}
    record(db.session(), actor, "token.revoked", queries.target_of(token.user), detail)
    db.session.commit()
