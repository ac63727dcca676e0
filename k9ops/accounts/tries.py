"""Counting bad tries at signing in: five of them close a name for a quarter of an hour.

Each step is one conditional statement, so tries made at the same moment are all counted, and a
right password that arrives after the fifth bad one is refused whoever asked first.
"""

import hashlib
import hmac
from datetime import datetime, timedelta
from math import ceil

from flask import current_app
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from k9ops.accounts.models import SignInTry, fold
from k9ops.core.clock import read_now
from k9ops.core.db import insert_new

TRIES = 5
LOCK = timedelta(minutes=15)


def hash_name(name: str, kind: str = "") -> str:
    """The key of a name's tries; without the secret key nobody reads the names back.

    With a `kind` it counts something else, which no tries at the door can touch.
    """
    key = str(current_app.config["SECRET_KEY"]).encode()
    # No folded name begins with a space.
    text = f" {kind} {fold(name)}" if kind else fold(name)
    return hmac.new(key, text.encode(errors="replace"), hashlib.sha256).hexdigest()


def locked_until(session: Session, name_hash: str, *, most: int = TRIES) -> datetime | None:
    """When the name opens again; None when it is open."""
    query = select(SignInTry.at).where(
        SignInTry.name_hash == name_hash,
        SignInTry.failed >= most,
        SignInTry.at > read_now(session) - LOCK,
    )
    last = session.scalars(query).one_or_none()
    return None if last is None else last + LOCK


def seconds_to(session: Session, until: datetime) -> int:
    """How long it is until then."""
    return max(1, ceil((until - read_now(session)).total_seconds()))


def count_bad(session: Session, name_hash: str, *, most: int = TRIES) -> int:
    """Count one more bad try and return how many are left; the caller commits."""
    now = read_now(session)
    session.execute(delete(SignInTry).where(SignInTry.at <= now - LOCK))
    if insert_new(session, SignInTry, name_hash=name_hash, failed=1, at=now):
        return most - 1
    counted = (
        update(SignInTry)
        .where(SignInTry.name_hash == name_hash, SignInTry.failed < most)
        .values(failed=SignInTry.failed + 1, at=now)
        .returning(SignInTry.failed)
    )
    failed = session.execute(counted).scalar_one_or_none()
    return 0 if failed is None else most - failed


def forget(session: Session, name_hash: str) -> bool:
    """Start anew after a right password; False when the name was locked meanwhile."""
    is_open = SignInTry.failed < TRIES
    session.execute(delete(SignInTry).where(SignInTry.name_hash == name_hash, is_open))
    return locked_until(session, name_hash) is None


def reopen(session: Session, name_hash: str) -> None:
    """Open a locked name; the caller commits."""
    session.execute(delete(SignInTry).where(SignInTry.name_hash == name_hash))
