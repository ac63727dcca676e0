"""Reading people and tokens."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session, joinedload

from k9ops.accounts.models import ApiToken, User, fold
from k9ops.accounts.permissions import Role, roles_with
from k9ops.audit.services import Target
from k9ops.core.db import db
from k9ops.core.errors import NotFound
from k9ops.core.i18n import gettext as _
from k9ops.core.paging import NumberedPage, Order, containing, numbered_page, whole


def find_user(username: str) -> User | None:
    """The person of that name, whatever the letter case, active or not."""
    if not username.isprintable():  # NUL and half signs: the database refuses the very question.
        return None
    return db.session.scalars(select(User).where(User.username_key == fold(username))).one_or_none()


def find_user_to_mail(name: str) -> User | None:
    """The active person of that name or e-mail address, if a mail can reach them."""
    user = find_user(name)
    if user is None and name.isprintable():
        own = User.email == name.strip().casefold()
        user = db.session.scalars(select(User).where(own)).one_or_none()
    return user if user and user.active and user.email else None


def target_of(user: User) -> Target:
    """The person, as the audit log names them."""
    return Target("user", user.id, user.username)


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


def get_user_of_id(user_id: int) -> User:
    """Raise NotFound when there is nobody of that id."""
    user = db.session.get(User, user_id)
    if user is None:
        raise NotFound(_("There is no such person."))
    return user


@dataclass(frozen=True)
class UserFilter:
    """What to look for; what is empty does not count."""

    search: str = ""
    role: str = ""
    active: bool | None = None

    def apply(self, query: Select[User]) -> Select[User]:
        if self.search:
            columns = User.username, User.full_name, User.email
            query = query.where(containing(self.search, *columns))
        if self.role:
            query = query.where(User.role == self.role)
        if self.active is not None:
            query = query.where(User.active == self.active)
        return query


#: What a list of users is sorted by.
USER_HEADS: dict[str, Any] = {
    "name": User.username_key,
    "role": User.role,
    "added": User.created_at,
    "last": User.last_sign_in_at,
    "active": User.active,
}


def list_users(wanted: UserFilter, order: Order, *, number: int = 1) -> NumberedPage[User]:
    """The people who match, in that order."""
    query = wanted.apply(select(User))
    return numbered_page(db.session(), query, *order.of(USER_HEADS, User.id), number=number)


def all_users(wanted: UserFilter, order: Order) -> Iterator[User]:
    """The same, all of them, for a file."""
    return whole(db.session(), wanted.apply(select(User)), *order.of(USER_HEADS, User.id))


def count_by_role() -> dict[str, int]:
    """How many active people have each role."""
    query = select(User.role, func.count()).where(User.active).group_by(User.role)
    return dict(db.session.execute(query).all())


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
