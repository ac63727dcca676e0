"""The door, and people's own passwords; every function is one transaction with its audit entry."""

import logging
import re
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from sqlalchemy.exc import IntegrityError

from k9ops.accounts import browser_sessions, passwords, queries, tries, two_step_codes
from k9ops.accounts.errors import CodeNeeded, SignInLocked, SignInRefused
from k9ops.accounts.models import Theme, User
from k9ops.accounts.permissions import Role
from k9ops.accounts.signals import account_touched
from k9ops.audit.services import COMMAND_LINE, Actor, Target, record
from k9ops.core.checks import line_of
from k9ops.core.clock import db_now
from k9ops.core.db import db
from k9ops.core.errors import BadInput, Conflict, K9Error
from k9ops.core.i18n import LANGUAGES, ngettext
from k9ops.core.i18n import gettext as _

if TYPE_CHECKING:
    from config import Settings

log = logging.getLogger(__name__)

CODES_LOCKED = "account.codes_locked"
PASSWORD_SET, PASSWORD_CHANGED = "account.password_set", "account.password_changed"
RECOVERY_CODE_USED = "account.recovery_code_used"
_USERNAME = re.compile(r"[\w](?:[\w.@-]| (?! )){0,62}[\w]")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
#: What mail servers take without an extension; only the domain may be in another script.
_EMAIL = re.compile(
    rf"(?=.{{1,255}}\Z)(?=.{{1,64}}@){_ATOM}(?:\.{_ATOM})*@(?:[\w-]{{1,63}}\.)+[\w-]{{1,63}}"
)


def email_address(text: str | None) -> str | None:
    """A Check: an address in lower case, or none."""
    line: str | None = line_of(User.email)(text)
    if line and not _EMAIL.fullmatch(line):
        raise BadInput(_("This is no e-mail address."), field="email")
    return line and line.casefold()


def user_name(text: str | None) -> str:
    """A Check: the name with which a person signs in."""
    if not _USERNAME.fullmatch(text or ""):
        words = _("A name has 2 to 64 letters, digits, dots, dashes or single spaces.")
        raise BadInput(words, field="username")
    return text or ""


@dataclass(frozen=True)
class NewUser:
    """What is needed to add a person."""

    username: str
    password: str
    role: Role
    full_name: str = ""
    email: str | None = None

    def check(self) -> None:
        """Raise BadInput for the first field at fault."""
        user_name(self.username)
        if self.email is not None and not _EMAIL.fullmatch(self.email):
            raise BadInput(_("This is no e-mail address."), field="email")
        if len(self.full_name) > 200 or "\0" in self.full_name:
            raise BadInput(_("A full name has at most 200 letters."), field="full_name")
        passwords.check_password(self.password, self.username)


def create_user(new: NewUser, *, actor: Actor) -> User:
    """Add a person.

    Raises:
        BadInput: a field is wrong.
        Conflict: the name or the e-mail address is taken; also when two add it at once.
    """
    new.check()
    user = User(
        username=new.username,
        full_name=new.full_name,
        email=new.email and new.email.casefold(),
        password_hash=passwords.hash_password(new.password),
        role=new.role,
        created_at=db_now(),
    )
    db.session.add(user)
    try:
        db.session.flush()
    except IntegrityError:
        db.session.rollback()
        raise _taken(new) from None
    record(db.session(), actor, "user.created", queries.target_of(user), {"role": new.role})
    db.session.commit()
    return user


def _taken(new: NewUser) -> Conflict:
    if queries.find_user(new.username):
        text = _("The name %(name)s is already taken.", name=new.username)
        return Conflict(text, field="username", hint=_("Choose another name."))
    return Conflict(_("The e-mail address is already taken."), field="email")


def ensure_first_admin(settings: "Settings") -> tuple[str, str] | None:
    """Make the first administrator unless there is one; safe when several processes start at once.

    Returns:
        Name and password when this call made both up; else None, so that nobody prints a secret
        that a person already knows.
    """
    if queries.has_administrator():
        return None
    password = settings.admin_password or passwords.make_up_password()
    try:
        create_user(first_admin(settings.admin_username, password), actor=COMMAND_LINE)
    except Conflict:
        if not queries.has_administrator():
            name = settings.admin_username
            log.warning("no administrator: %s is taken; make one with `flask create-admin`", name)
        return None
    return None if settings.admin_password else (settings.admin_username, password)


def first_admin(username: str, password: str) -> NewUser:
    return NewUser(username, password, Role.ADMINISTRATOR)


def set_password(username: str, password: str, *, actor: Actor) -> User:
    """Give a person a new password; ends all their sessions and opens a locked name.

    Raises:
        NotFound: nobody has that name.
        BadInput: the password breaks the rule.
    """
    user = queries.get_user(username)
    passwords.check_password(password, user.username)
    user.password_hash = passwords.hash_password(password)
    browser_sessions.end_all(user)
    tries.reopen(db.session(), tries.hash_name(user.username))
    record(db.session(), actor, "user.password_set", queries.target_of(user))
    account_touched.send(PASSWORD_SET, session=db.session(), user=user)
    db.session.commit()
    return user


def change_password(user: User, current: str, new: str, *, actor: Actor) -> None:
    """Change one's own password; ends all sessions of the person, this one too.

    Raises:
        BadInput: `current` is not the password, or `new` breaks the rule.
        SignInLocked: too many bad tries at the name, here and at the door together.
    """
    confirm_password(user, current, actor=actor, field="current")
    passwords.check_password(new, user.username, field="new")
    user.password_hash = passwords.hash_password(new)
    browser_sessions.end_all(user)
    record(db.session(), actor, "user.password_changed", queries.target_of(user))
    account_touched.send(PASSWORD_CHANGED, session=db.session(), user=user)
    db.session.commit()


def confirm_password(
    user: User, proof: str, *, actor: Actor, field: str = "password", or_code: bool = False
) -> None:
    """Make sure that it is the person who is at the keyboard; a code of theirs is then used up.

    Raises:
        BadInput: it is not their password, and no code where one may be.
        SignInLocked: too many bad tries at the name, here and at the door together.
    """
    name_hash = tries.hash_name(user.username)
    try:
        _refuse_if_locked(name_hash)
        is_code = or_code and two_step_codes.uses_code(user.id, proof)
        if not is_code and not passwords.is_password(user.password_hash, proof):
            raise _count_bad_try(name_hash, user, actor.ip)
    except SignInLocked as error:
        error.field = field
        raise
    except SignInRefused:
        text = _("This is neither your password nor a code that still holds.")
        raise BadInput(text if or_code else _("This is not your password."), field=field) from None


def keep_choices(user: User, *, language: str | None, theme: str | None) -> None:
    """Keep the language in which `user` reads and the look they like; unknown words are ignored.

    Not audited: nobody is affected but the person.
    """
    if language in LANGUAGES:
        user.language = language
    if theme in tuple(Theme):
        user.theme = theme
    db.session.commit()


def sign_in(username: str, password: str, *, ip: str | None) -> User:
    """The person of that name and password; counts and audits what was wrong.

    Raises:
        SignInRefused: name or password is wrong, or the person is not active.
        SignInLocked: too many bad tries at this name, whether anybody has it or not.
        CodeNeeded: all is right so far; `sign_in_by_code` goes on, and nothing is forgotten before.
    """
    name_hash = tries.hash_name(username)
    _refuse_if_locked(name_hash)
    user = queries.find_user(username)
    right = passwords.is_password(user and user.password_hash, password)
    if user is None or not (right and user.active):
        raise _count_bad_try(name_hash, user, ip)
    if passwords.is_outdated(user.password_hash):
        user.password_hash = passwords.hash_password(password)
    if two_step_codes.two_step_of(user.id):
        db.session.commit()
        raise CodeNeeded(user)
    return _let_in(user, ip)


def sign_in_by_code(user: User, code: str, *, ip: str | None) -> User:
    """The code, after the right password; wrong codes count as wrong passwords do.

    Raises:
        SignInRefused: the code does not hold, or held once and was used.
        SignInLocked: too many bad tries at the name.
    """
    name_hash = tries.hash_name(user.username)
    _refuse_if_locked(name_hash)
    by = two_step_codes.uses_code(user.id, code)
    if not by:
        raise _count_bad_try(name_hash, user, ip, code=True)
    if by == "recovery_code":
        left = {"left": two_step_codes.recovery_codes_left(user.id)}
        account_touched.send(RECOVERY_CODE_USED, session=db.session(), user=user, params=left)
    return _let_in(user, ip, {"two_step": by})


def _let_in(user: User, ip: str | None, detail: dict[str, str] | None = None) -> User:
    name_hash = tries.hash_name(user.username)
    if not tries.forget(db.session(), name_hash):
        db.session.rollback()
        _refuse_if_locked(name_hash)
    user.last_sign_in_at = db_now()
    record(
        db.session(),
        Actor(user.username, user.id, ip),
        "user.signed_in",
        queries.target_of(user),
        detail,
    )
    db.session.commit()
    return user


def _refuse_if_locked(name_hash: str) -> None:
    until = tries.locked_until(db.session(), name_hash)
    if until is not None:
        raise _locked(tries.seconds_to(db.session(), until))


def _locked(seconds: int) -> SignInLocked:
    minutes = ceil(seconds / 60)
    text = ngettext(
        "Too many wrong tries. Try again in %(num)s minute.",
        "Too many wrong tries. Try again in %(num)s minutes.",
        minutes,
    )
    return SignInLocked(text, seconds_left=seconds)


def _wrong_password(left: int) -> str:
    return ngettext(
        "The name or the password is wrong. %(num)s try is left.",
        "The name or the password is wrong. %(num)s tries are left.",
        left,
    )


def _wrong_code(left: int) -> str:
    return ngettext(
        "This code does not hold, or was used already. %(num)s try is left.",
        "This code does not hold, or was used already. %(num)s tries are left.",
        left,
    )


def _count_bad_try(
    name_hash: str, user: User | None, ip: str | None, *, code: bool = False
) -> K9Error:
    """Count and audit it; an unknown name is not written down: it may be a password.

    Who tries a `code` knows the password, which the trail tells, and the person when it locks.
    """
    left = tries.count_bad(db.session(), name_hash)
    target = queries.target_of(user) if user else Target("user", "", "unknown")
    detail = {"tries_left": left} | ({"two_step": "wrong"} if code else {})
    record(db.session(), Actor("signed out", ip=ip), "user.sign_in_refused", target, detail)
    if code and not left:
        account_touched.send(CODES_LOCKED, session=db.session(), user=user)
    db.session.commit()
    if not left:
        return _locked(int(tries.LOCK.total_seconds()))
    words = _wrong_code if code else _wrong_password
    return SignInRefused(words(left), tries_left=left)
