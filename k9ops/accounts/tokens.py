"""Bearer tokens: how programs sign in to /api."""

from datetime import datetime, timedelta

from flask import Request

from k9ops.accounts import passwords, queries
from k9ops.accounts.errors import Unauthenticated
from k9ops.accounts.models import ApiToken, User
from k9ops.core.clock import read_now
from k9ops.core.db import db

#: A busy program writes no more often than this.
_USE_NOTED_EVERY = timedelta(minutes=1)


def user_of_request(request: Request) -> User | None:
    """The person whose token the request carries; None when it carries none.

    Raises:
        Unauthenticated: the token is malformed, unknown, revoked or expired.
    """
    if not request.path.startswith("/api/") or "Authorization" not in request.headers:
        return None
    scheme, _, text = request.headers["Authorization"].partition(" ")
    if scheme.lower() != "bearer" or not text:
        raise _refused("bad_token", "The token must be sent as `Authorization: Bearer TOKEN`.")
    token = queries.token_by_hash(passwords.hash_secret(text.strip()))
    if token is None or token.revoked_at or not token.user.active:
        raise _refused("bad_token", "The token is not known, or no longer.")
    now = read_now(db.session())
    if token.expires_at and token.expires_at <= now:
        raise _refused("expired_token", "The token has expired.")
    _note_use(token, now)
    return token.user


def _refused(code: str, text: str) -> Unauthenticated:
    hint = "Make a new one with `flask create-token`."
    return Unauthenticated(text, code=code, field="Authorization", hint=hint)


def _note_use(token: ApiToken, now: datetime) -> None:
    """Note it when the last note is old; an UPDATE that changes nothing would still lock SQLite."""
    if token.last_used_at and token.last_used_at > now - _USE_NOTED_EVERY:
        return
    token.last_used_at = now
    db.session.commit()
