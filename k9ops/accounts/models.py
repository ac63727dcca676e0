"""People who may sign in, by what, where they are signed in, and bad tries at the door."""

import unicodedata
from datetime import datetime
from enum import StrEnum
from typing import Any

from flask_login import UserMixin
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from k9ops.accounts.permissions import ROLE_TITLES, Role, permissions_of
from k9ops.core.db import Base, one_of
from k9ops.core.i18n import LANGUAGES


class Theme(StrEnum):
    """Light, dark, or whatever the person's device says."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


def fold(name: str) -> str:
    """The form in which names are compared: letter case and look-alike encodings do not count."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


class User(UserMixin, Base):
    """A person who may sign in; never deleted, only made inactive."""

    __tablename__ = "users"
    __table_args__ = (
        one_of("role", tuple(Role)),
        one_of("language", LANGUAGES),
        one_of("theme", tuple(Theme)),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(80))
    #: `username` folded: what makes names unique whatever their letter case.
    username_key: Mapped[str] = mapped_column(String(160), unique=True)
    full_name: Mapped[str] = mapped_column(String(200), default="")
    email: Mapped[str | None] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(32), index=True)
    active: Mapped[bool] = mapped_column(default=True)
    #: Null until the person chooses; then Accept-Language no longer counts.
    language: Mapped[str | None] = mapped_column(String(8))
    theme: Mapped[str] = mapped_column(String(8), default=Theme.SYSTEM)
    last_sign_in_at: Mapped[datetime | None]
    #: Kept in every session: raising it ends all of them, also one that just begins.
    session_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]

    @validates("username")
    def _fold_username(self, _key: str, username: str) -> str:
        self.username_key = fold(username)
        return username

    @property
    def is_active(self) -> bool:
        """For Flask-Login; queries ask for `active`."""
        return self.active

    @property
    def display_name(self) -> str:
        return self.full_name or self.username

    @property
    def role_title(self) -> Any:
        return ROLE_TITLES[Role(self.role)]

    def can(self, permission: str) -> bool:
        """Whether the person's role holds `permission`."""
        return self.active and permission in permissions_of(self.role)


class BrowserSession(Base):
    """One browser in which a person is signed in; the row goes when the session ends."""

    __tablename__ = "browser_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    #: Of the random key in the browser's cookie.
    key_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    version: Mapped[int]
    began_at: Mapped[datetime] = mapped_column(index=True)
    #: Noted once a minute at most, with the address of that moment.
    last_seen_at: Mapped[datetime]
    ip: Mapped[str | None] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(400), default="")

    user: Mapped[User] = relationship()


class ApiToken(Base):
    """A key for programs; only its SHA-256 is kept."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()


class SignInTry(Base):
    """Bad tries at one name, whether anybody has that name or not.

    Kept apart from the people so that known and unknown names behave alike to the last word.
    """

    __tablename__ = "sign_in_tries"

    #: Keyed hash of the folded name: people type passwords into the wrong field.
    name_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    failed: Mapped[int]
    #: The last counted try; the row is void a quarter of an hour later.
    at: Mapped[datetime] = mapped_column(index=True)


class TwoStep(Base):
    """Two-step verification of a person: the codes of an app on their phone."""

    __tablename__ = "two_steps"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    #: Sealed with SECRET_KEY.
    secret: Mapped[str] = mapped_column(String(400))
    begun_at: Mapped[datetime]
    #: Null until the person proved that the app has the secret; it does not count before.
    on_since: Mapped[datetime | None]
    #: The step of time whose code was taken last; no code is taken twice.
    last_step: Mapped[int | None]


class RecoveryCode(Base):
    """A code that stands in for the app once; its row goes when it was used."""

    __tablename__ = "recovery_codes"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    code_sha256: Mapped[str] = mapped_column(String(64))


class PasswordReset(Base):
    """A link in a mail by which a person sets a new password."""

    __tablename__ = "password_resets"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    #: The link holds the token, which is kept nowhere.
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    #: Where it was sent: another address of the person's voids it.
    email: Mapped[str] = mapped_column(String(254))
    #: Of the person's sessions: a new password, by whatever way, voids it.
    version: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(index=True)

    user: Mapped[User] = relationship()
