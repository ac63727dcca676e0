"""Reading people and tokens."""

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, joinedload

from k9ops.accounts.models import ApiToken, User, fold
from k9ops.accounts.permissions import Role, roles_with
from k9ops.core.db import db
from k9ops.core.errors import NotFound


def find_user(username: str) -> User | None:
    """The person of that name, whatever the letter case, active or not."""
    if not username.isprintable():  # NUL and half signs: the database refuses the very question.
        return None
    return db.session.scalars(select(User).where(User.username_key == fold(username))).one_or_none()


def get_user(username: str) -> User:
    """Like `find_user`, for commands.

    Raises:
        NotFound: nobody has that name.
    """
    user = find_user(username)
    if user is None:
        hint = "Check the spelling of the name; letter case does not count."
        raise NotFound(f"Nobody is called {username!r}.", field="username", hint=hint)
    return user


def user_of_session(session_id: str) -> User | None:
    """The active person whom a session names, while its version is still theirs."""
    number, _, version = session_id.partition(".")
    if not (number.isdecimal() and version.isdecimal() and len(number) < 10):
        return None
    user = db.session.get(User, int(number), execution_options={"prepare": True})
    return user if user and user.active and user.session_version == int(version) else None


def has_administrator() -> bool:
    administrators = exists().where(User.role == Role.ADMINISTRATOR, User.active)
    return bool(db.session.scalar(select(administrators)))


def has_people() -> bool:
    """Whether anyone at all has an account: an empty database has none."""
    return bool(db.session.scalar(select(exists().where(User.id.is_not(None)))))


def active_users_with(session: Session, permission: str) -> list[int]:
    """Ids of the active people whose role holds `permission`."""
    query = select(User.id).where(User.active, User.role.in_(roles_with(permission)))
    return list(session.scalars(query))


def token_by_hash(token_sha256: str) -> ApiToken | None:
    query = select(ApiToken).where(ApiToken.token_sha256 == token_sha256)
    return db.session.scalars(query.options(joinedload(ApiToken.user))).one_or_none()
