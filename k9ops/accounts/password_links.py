"""New passwords by mail: a link that holds an hour, once, and for the address it was sent to."""

import secrets
from datetime import timedelta
from math import ceil

from sqlalchemy import delete, select, update
from sqlalchemy.orm import joinedload

from k9ops.accounts import browser_sessions, mailing, passwords, queries, tries, two_step_codes
from k9ops.accounts.errors import LinkVoid, SignInLocked
from k9ops.accounts.models import PasswordReset, User
from k9ops.accounts.signals import account_touched
from k9ops.audit.services import Actor, Target, record
from k9ops.core.clock import db_now, read_now
from k9ops.core.db import changed, db
from k9ops.core.errors import Conflict
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import ngettext
from k9ops.core.settings import current_settings
from k9ops.jobs import enqueue
from k9ops.web.formats import unit_name
from k9ops.web.letters import Letter

SEND = "accounts.send_password_reset"
RESET = "account.password_reset"
#: The page that a link leads to, before its token.
PATH = "/sign-in/new-password"
GOOD_FOR = timedelta(hours=1)
#: Links within a quarter of an hour; more of a name are passed over in silence.
OF_ONE_NAME, FROM_ONE_PLACE = 3, 20


def ask(name: str, *, ip: str | None, language: str) -> None:
    """Send a link to the person of that name or e-mail address.

    Nobody learns whether there is one: a run is recorded in any case, for nobody if need be.

    Raises:
        SignInLocked: too many links were asked for from there.
    """
    session, place = db.session(), tries.hash_name(str(ip), "links from")
    until = tries.locked_until(session, place, most=FROM_ONE_PLACE)
    if until is not None:
        raise _too_many(tries.seconds_to(session, until))
    user = queries.find_user_to_mail(name)
    # Of the person, however they were named.
    whom = tries.hash_name(str(user.id), "links of") if user else tries.hash_name(name, "links to")
    tries.count_bad(session, place, most=FROM_ONE_PLACE)
    if not tries.locked_until(session, whom, most=OF_ONE_NAME):
        tries.count_bad(session, whom, most=OF_ONE_NAME)
        target = queries.target_of(user) if user else Target("user", "", "unknown")
        _enqueue(user, language, target, Actor("signed out", ip=ip))
    session.commit()


def _too_many(seconds: int) -> SignInLocked:
    text = ngettext(
        "Too many links were asked for from here. Try again in %(num)s minute.",
        "Too many links were asked for from here. Try again in %(num)s minutes.",
        ceil(seconds / 60),
    )
    return SignInLocked(text, seconds_left=seconds)


def send_to(user: User, *, actor: Actor) -> None:
    """Send the person a link, as an administrator.

    Raises:
        Conflict: no mail reaches them.
    """
    if not mailing.is_reached(user):
        raise Conflict(_("No mail reaches this person."))
    _enqueue(user, "ar", queries.target_of(user), actor)
    db.session.commit()


def _enqueue(user: User | None, language: str, target: Target, actor: Actor) -> None:
    record(db.session(), actor, "user.password_link_asked", target)
    by = actor.name if actor.id else None
    enqueue(SEND, {"user_id": user and user.id, "language": language}, requested_by=by)


def send_link(user_id: int | None, language: str) -> bool:
    """Make the link and send it, within a run; False when there is nobody to send it to.

    The token is made here, so that no run and no log holds it.

    Raises:
        PermanentError: it was not sent, or nobody knows; a retry sends only what was not sent.
    """
    user = db.session.get(User, user_id) if user_id else None
    if user is None or not user.active or not user.email:
        return False
    mailing.send_once(user, language, lambda: _letter(_new_token(user)), to=user.email)
    return True


def _new_token(user: User) -> str:
    token, now = secrets.token_urlsafe(32), read_now(db.session())
    db.session.execute(delete(PasswordReset).where(PasswordReset.expires_at <= now))
    db.session.add(
        PasswordReset(
            user_id=user.id,
            token_sha256=passwords.hash_secret(token),
            email=user.email,
            version=user.session_version,
            expires_at=now + GOOD_FOR,
        )
    )
    db.session.commit()
    return token


def _letter(token: str) -> Letter:
    return Letter(
        subject=_("A new password for your account at %(unit)s", unit=unit_name()),
        title=_("Set a new password"),
        before=(_("Somebody asked for a new password for your account. Set it here:"),),
        button=_("Set a new password"),
        url=f"{current_settings().public_url}{PATH}/{token}",
        after=(
            _("The link holds for one hour, and once."),
            _("If it was not you, do nothing: your password stays as it is."),
        ),
        foot=mailing.foot(),
    )


def find_link(token: str) -> PasswordReset:
    """The link of that token, with its person.

    Raises:
        LinkVoid: it was used, is too old, or no longer fits the person.
    """
    query = select(PasswordReset).options(joinedload(PasswordReset.user, innerjoin=True))
    mine = PasswordReset.token_sha256 == passwords.hash_secret(token)
    link = db.session.scalars(query.where(mine, PasswordReset.expires_at > db_now())).one_or_none()
    if link is None or not link.user.active:
        raise LinkVoid
    if (link.version, link.email) != (link.user.session_version, link.user.email):
        raise LinkVoid
    return link


def set_password(token: str, password: str, *, ip: str | None) -> None:
    """Set it by the link; ends all sessions of the person and opens a locked name.

    With two-step verification on the name stays locked: who reads the mail must not try codes.

    Raises:
        LinkVoid: see `find_link`; also when the person gets another password meanwhile.
        BadInput: the password breaks the rule.
    """
    link = find_link(token)
    user = link.user
    passwords.check_password(password, user.username, field="new")
    hashed = passwords.hash_password(password)
    if not _replace_hash(link, hashed):
        db.session.rollback()
        raise LinkVoid
    browser_sessions.end_all(user)
    if not two_step_codes.two_step_of(user.id):
        tries.reopen(db.session(), tries.hash_name(user.username))
    actor = Actor(user.username, user.id, ip)
    record(db.session(), actor, "user.password_reset", queries.target_of(user))
    account_touched.send(RESET, session=db.session(), user=user)
    db.session.commit()


def _replace_hash(link: PasswordReset, hashed: str) -> bool:
    """Use the link up; whether it still fitted the person, whose row is held from here on."""
    as_it_was = User.session_version == link.version, User.email == link.email, User.active
    new = update(User).where(User.id == link.user_id, *as_it_was).values(password_hash=hashed)
    used = delete(PasswordReset).where(PasswordReset.id == link.id)
    return changed(db.session.execute(new)) and changed(db.session.execute(used))
