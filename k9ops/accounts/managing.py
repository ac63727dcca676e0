"""What administrators do with people who sign in; every function is one transaction, audited."""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select, update

from k9ops.accounts import browser_sessions, passwords, queries, services
from k9ops.accounts.models import User
from k9ops.accounts.permissions import Role
from k9ops.accounts.queries import get_user_of_id
from k9ops.accounts.signals import account_touched
from k9ops.audit.records import keep
from k9ops.audit.services import Actor, record
from k9ops.core.checks import Check, checked, line_of, one_word_of
from k9ops.core.db import changed, db
from k9ops.core.errors import Conflict
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.core.seen import begin_to_write, hold

EMAIL_CHANGED = "account.email_changed"
CHECKS: dict[str, Check] = {
    "full_name": line_of(User.full_name),
    "email": services.email_address,
    "role": one_word_of(Role),
}
_TAKEN = {"email": _l("Another person has this e-mail address.")}


@dataclass(frozen=True)
class UserValues:
    """What an administrator may change of a person."""

    full_name: str
    email: str | None
    role: str


def add_user(username: str, values: UserValues, *, actor: Actor) -> tuple[User, str]:
    """Add a person with a made-up password, which is returned and kept nowhere.

    Raises:
        BadInput: a field is wrong; it is named.
        Conflict: the name or the e-mail address is taken, also when two add it at once.
    """
    values, password = checked(values, CHECKS), passwords.make_up_password()
    role = Role(values.role)
    new = services.NewUser(username, password, role, values.full_name, values.email)
    return services.create_user(new, actor=actor), password


def change_user(user_id: int, values: UserValues, *, actor: Actor, seen: str | None = None) -> User:
    """Change what is kept of the person.

    Raises:
        BadInput: a field is wrong; it is named.
        Conflict: the address is taken, or nobody would be an administrator any more.
        NotFound, Stale: it is gone, or somebody was faster.
    """
    values, user = checked(values, CHECKS), get_user_of_id(user_id)
    if values.role != Role.ADMINISTRATOR:
        _require_another_administrator(user, field="role")
    tell_of_email(user, values.email)
    return keep_user(user, asdict(values), actor, seen)


def keep_user(user: User, values: dict[str, Any], actor: Actor, seen: str | None) -> User:
    """Write the checked values; raises as `records.keep` does."""
    keep(user, values, actor=actor, kind="user", name=user.username, taken=_TAKEN, seen=seen)
    return user


def tell_of_email(user: User, email: str | None) -> None:
    """Tell the person, where mails reach them still, that their address becomes another one.

    Raises:
        Conflict: they are gone.
    """
    # Held first: two that only noted it would wait for each other.
    hold(user, ("email",))
    if email != user.email:
        account_touched.send(EMAIL_CHANGED, session=db.session(), user=user)


def deactivate(user_id: int, *, actor: Actor) -> User:
    """Let the person sign in no more, and end their sessions; what they did stays.

    Raises:
        NotFound: there is nobody of that id.
        Conflict: nobody would be an administrator any more.
    """
    user = get_user_of_id(user_id)
    _require_another_administrator(user)
    if _set_active(user, active=False):
        browser_sessions.end_all(user)
        record(db.session(), actor, "user.deactivated", queries.target_of(user))
    db.session.commit()
    return user


def reactivate(user_id: int, *, actor: Actor) -> User:
    """Let the person sign in again, with the password they had.

    Raises:
        NotFound: there is nobody of that id.
    """
    user = get_user_of_id(user_id)
    if _set_active(user, active=True):
        record(db.session(), actor, "user.reactivated", queries.target_of(user))
    db.session.commit()
    return user


def give_password(user_id: int, *, actor: Actor) -> tuple[User, str]:
    """Give the person a made-up password, which is returned and kept nowhere; ends their sessions.

    Raises:
        NotFound: there is nobody of that id.
    """
    user, password = get_user_of_id(user_id), passwords.make_up_password()
    return services.set_password(user.username, password, actor=actor), password


def _set_active(user: User, *, active: bool) -> bool:
    """Whether it was otherwise before."""
    wanted = update(User).where(User.id == user.id, User.active.is_(not active))
    return changed(db.session.execute(wanted.values(active=active)))


def _require_another_administrator(user: User, field: str | None = None) -> None:
    """Refuse when `user` is the last one; holds the administrators until the transaction ends."""
    begin_to_write(User)
    administrators = select(User.id).where(User.role == Role.ADMINISTRATOR, User.active)
    held = administrators.order_by(User.id).with_for_update()
    if list(db.session.scalars(held)) == [user.id]:
        db.session.rollback()
        hint = _("Make somebody else an administrator first.")
        raise Conflict(_("This is the last administrator."), field=field, hint=hint)
