"""Who is signed in: sessions of people in the browser, and the actor that the audit names."""

from dataclasses import asdict, dataclass
from datetime import timedelta

from flask import Flask, g, has_request_context, request, session
from flask_login import LoginManager, current_user, login_user, logout_user

from k9ops.accounts import browser_sessions, tokens, two_step_codes
from k9ops.accounts.models import BrowserSession, User
from k9ops.audit.services import COMMAND_LINE, Actor
from k9ops.core.clock import utcnow
from k9ops.core.db import db
from k9ops.web.security import is_api

_KEY = "key"
_HALF_WAY = "half_way"
#: Between the password and the code.
_HALF_WAY_LASTS = timedelta(minutes=10)
#: Browsers drop a cookie of more than 4 kB, and the sign-in with it.
_LONGEST_NEXT = 500
#: What a choice made before the sign-in or before the sign-out outlives.
_KEPT = ("language",)


def init_sessions(app: Flask) -> None:
    app.config["PERMANENT_SESSION_LIFETIME"] = browser_sessions.LONGEST
    manager = LoginManager()
    # Templates ask for the person only when they show one: our error page must not need them.
    manager.init_app(app, add_context_processor=False)
    manager.user_loader(load_user)
    manager.request_loader(tokens.user_of_request)


def load_user(user_id: str) -> User | None:
    """The person of a browser's session; the API takes tokens only."""
    key = session.get(_KEY)
    if is_api() or not isinstance(key, str):
        return None
    found = browser_sessions.find(key)
    if found is None or str(found.user_id) != user_id:
        return None
    browser_sessions.note_seen(found, request.remote_addr)
    g.k9ops_session = found
    return found.user


def begin_session(user: User, *, remember: bool) -> None:
    """Sign the person in with a new session; `remember` lets it outlive the browser."""
    _empty_session()
    session.permanent = remember
    agent = request.headers.get("User-Agent", "")
    session[_KEY] = browser_sessions.begin(user, ip=request.remote_addr, user_agent=agent)
    if user.language:
        session["language"] = user.language
    login_user(user)


@dataclass(frozen=True)
class HalfWay:
    """What the browser keeps of a sign-in between the password and the code."""

    user_id: int
    #: Of the person's sessions: a new password or "sign out everywhere" ends this too.
    version: int
    until: float
    remember: bool
    next: str


def go_half_way(user: User, *, remember: bool, target: str) -> None:
    """Note in the browser that the password was right; nobody is signed in yet."""
    _empty_session()
    until = (utcnow() + _HALF_WAY_LASTS).timestamp()
    following = target if len(target) <= _LONGEST_NEXT else "/"
    kept = HalfWay(user.id, user.session_version, until, remember, following)
    session[_HALF_WAY] = asdict(kept)


def half_way() -> tuple[User, HalfWay] | None:
    """Who has to enter a code now, if anybody has."""
    if _HALF_WAY not in session:
        return None
    kept = HalfWay(**session[_HALF_WAY])
    user = db.session.get(User, kept.user_id)
    if user is None or not user.active or user.session_version != kept.version:
        return None
    holds = kept.until > utcnow().timestamp() and two_step_codes.two_step_of(user.id)
    return (user, kept) if holds else None


def forget_half_way() -> bool:
    """Whether a sign-in had come half way."""
    return session.pop(_HALF_WAY, None) is not None


def own_session() -> BrowserSession:
    """The session of this request, for views that let nobody else in."""
    get_signed_in_user()
    found: BrowserSession = g.k9ops_session
    return found


def end_session() -> None:
    """Sign the person out of this browser."""
    logout_user()
    _empty_session()


def _empty_session() -> None:
    """Nothing that was planted before a sign-in lives on behind it, nor after a sign-out."""
    kept = {name: session[name] for name in _KEPT if name in session}
    session.clear()
    session.update(kept)


def signed_in_user() -> User | None:
    """The person of this request."""
    user: User = current_user
    return user if has_request_context() and user.is_authenticated else None


def get_signed_in_user() -> User:
    """The person of this request, for views that let nobody else in."""
    user: User = current_user._get_current_object()
    return user


def signed_in_id() -> int:
    """The id of the person of this request, for views that let nobody else in."""
    return get_signed_in_user().id


def current_actor() -> Actor:
    """Whom the audit names for what happens now."""
    if not has_request_context():
        return COMMAND_LINE
    user = signed_in_user()
    if user is None:
        return Actor("signed out", ip=request.remote_addr)
    return Actor(user.username, user.id, request.remote_addr)
