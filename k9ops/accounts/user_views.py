"""The pages of people who sign in, for administrators."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from k9ops.accounts import (
    api_tokens,
    browser_sessions,
    browsers,
    managing,
    password_links,
    queries,
    tries,
    two_step,
    two_step_codes,
)
from k9ops.accounts.forms import NewUserForm, UserForm
from k9ops.accounts.managing import UserValues
from k9ops.accounts.models import User
from k9ops.accounts.permissions import ROLE_TITLES
from k9ops.accounts.sessions import current_actor
from k9ops.audit.exports import export_list
from k9ops.core.db import db
from k9ops.core.errors import Conflict
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.web.exports import KINDS, Column
from k9ops.web.filters import Choice, choice, page_number, search_words, sorted_by
from k9ops.web.formats import isolated
from k9ops.web.forms import saved
from k9ops.web.panels import panels_of
from k9ops.web.security import requires

users = Blueprint("users", __name__, template_folder="templates")

USER = "/users/<int(max=2147483647):user_id>"
_STATES = {"yes": _l("Enabled"), "no": _l("Deactivated")}
_COLUMNS = (
    Column[User](_l("User name"), lambda one: one.username),
    Column[User](_l("Full name"), lambda one: one.full_name),
    Column[User](_l("Role"), lambda one: ROLE_TITLES[one.role]),  # type: ignore[index]
    Column[User](_l("E-mail address"), lambda one: one.email),
    Column[User](_l("Added"), lambda one: one.created_at),
    Column[User](_l("Last sign-in"), lambda one: one.last_sign_in_at),
    Column[User](_l("State"), lambda one: _STATES["yes" if one.active else "no"]),
)


@users.get("/users")
@requires("users.view")
def index() -> str:
    """Everybody who may sign in, or might once."""
    choices, order = _choices(), sorted_by(*queries.USER_HEADS)
    wanted = _wanted(choices)
    return render_template(
        "accounts/users.html",
        page=queries.list_users(wanted, order, number=page_number()),
        counts=queries.count_by_role(),
        roles=ROLE_TITLES,
        search=wanted.search,
        choices=choices,
        order=order,
    )


@users.get(f"/users/export/{KINDS}")
@requires("users.view")
def export(kind: str) -> ResponseReturnValue:
    """What the filters show, as a file."""
    rows = queries.all_users(_wanted(_choices()), sorted_by(*queries.USER_HEADS))
    return export_list(kind, _("Users"), _COLUMNS, rows, actor=current_actor())


def _choices() -> list[Choice]:
    return [choice("role", _l("Role"), ROLE_TITLES), choice("active", _l("State"), _STATES)]


def _wanted(choices: list[Choice]) -> queries.UserFilter:
    role, active = (one.value for one in choices)
    return queries.UserFilter(search_words(), role, active == "yes" if active else None)


@users.get(USER)
@requires("users.view")
def show(user_id: int) -> str:
    """One of them: where they are signed in, their tokens, and what can be done."""
    user = queries.get_user_of_id(user_id)
    return render_template(
        "accounts/user.html",
        one=user,
        sessions=browser_sessions.sessions_of(user),
        tokens=api_tokens.tokens_of(user),
        on=two_step_codes.two_step_of(user.id),
        locked_until=tries.locked_until(db.session(), tries.hash_name(user.username)),
        browsers=browsers,
        panels=panels_of("user", user),
    )


@users.route("/users/new", methods=["GET", "POST"])
@requires("users.manage")
def add() -> ResponseReturnValue:
    """Add somebody; their first password is shown once."""
    form = NewUserForm()
    added = saved(
        form,
        lambda: managing.add_user(
            form.username.data, form.values(UserValues), actor=current_actor()
        ),
    )
    if added is None:
        status = 422 if form.errors else 200
        return render_template("accounts/user_form.html", form=form, one=None), status
    user, password = added
    title = _("%(name)s may sign in now", name=isolated(user.display_name))
    return _shown_once(user, title, password)


@users.route(f"{USER}/edit", methods=["GET", "POST"])
@requires("users.manage")
def edit(user_id: int) -> ResponseReturnValue:
    """Change the full name, the e-mail address, the role."""
    user = queries.get_user_of_id(user_id)
    form = UserForm(obj=user)
    values, actor = form.values(UserValues), current_actor()
    kept = saved(
        form, lambda: managing.change_user(user_id, values, actor=actor, seen=form.seen.data)
    )
    if kept is None:
        status = 422 if form.errors else 200
        return render_template("accounts/user_form.html", form=form, one=user), status
    flash(_("%(name)s was saved.", name=isolated(kept.display_name)), "ok")
    return _to(user_id)


@users.route(f"{USER}/deactivate", methods=["GET", "POST"])
@requires("users.manage")
def deactivate(user_id: int) -> ResponseReturnValue:
    """Ask, then let the person sign in no more."""
    title = _("Deactivate %(name)s?")
    text = _("They are signed out everywhere and cannot sign in; their tokens open nothing.")
    if question := _question(user_id, title, text, _("Deactivate"), _("Keep active")):
        return question
    try:
        user = managing.deactivate(user_id, actor=current_actor())
    except Conflict as error:
        flash(f"{error.message} {error.hint}", "bad")
    else:
        flash(_("%(name)s cannot sign in any more.", name=isolated(user.display_name)), "ok")
    return _to(user_id)


@users.post(f"{USER}/reactivate")
@requires("users.manage")
def reactivate(user_id: int) -> ResponseReturnValue:
    """Let the person sign in again."""
    user = managing.reactivate(user_id, actor=current_actor())
    flash(_("%(name)s may sign in again.", name=isolated(user.display_name)), "ok")
    return _to(user_id)


@users.route(f"{USER}/password", methods=["GET", "POST"])
@requires("users.manage")
def give_password(user_id: int) -> ResponseReturnValue:
    """Ask, then make up a new password, which is shown once."""
    title = _("Give %(name)s a new password?")
    text = _("The one until now opens nothing more, and they are signed out everywhere.")
    if question := _question(user_id, title, text, _("Make a password"), _("Keep the password")):
        return question
    user, password = managing.give_password(user_id, actor=current_actor())
    title = _("%(name)s has a new password", name=isolated(user.display_name))
    return _shown_once(user, title, password)


@users.route(f"{USER}/sign-out-everywhere", methods=["GET", "POST"])
@requires("users.manage")
def sign_out_everywhere(user_id: int) -> ResponseReturnValue:
    """Ask, then end every session of the person."""
    title = _("Sign %(name)s out everywhere?")
    text = _("Every browser asks for the password again. Tokens of programs go on.")
    yes, no = _("Sign out everywhere"), _("Stay signed in")
    if question := _question(user_id, title, text, yes, no):
        return question
    user = queries.get_user_of_id(user_id)
    browser_sessions.sign_out_everywhere(user, actor=current_actor())
    flash(_("%(name)s was signed out everywhere.", name=isolated(user.display_name)), "ok")
    return _to(user_id)


@users.post(f"{USER}/password-link")
@requires("users.manage")
def send_password_link(user_id: int) -> ResponseReturnValue:
    """Send the person a link by which they set a new password."""
    user = queries.get_user_of_id(user_id)
    try:
        password_links.send_to(user, actor=current_actor())
    except Conflict as error:
        flash(error.message, "bad")
    else:
        flash(_("A mail with a link goes to %(address)s.", address=isolated(user.email)), "ok")
    return _to(user_id)


@users.route(f"{USER}/two-step/reset", methods=["GET", "POST"])
@requires("users.manage")
def reset_two_step(user_id: int) -> ResponseReturnValue:
    """Ask, then let the person sign in by the password alone again."""
    title = _("Reset the two-step verification of %(name)s?")
    text = _("Make sure that it is they who ask. They are told, and can set it up anew.")
    if question := _question(user_id, title, text, _("Reset"), _("Leave it on")):
        return question
    user = queries.get_user_of_id(user_id)
    try:
        two_step.reset(user, actor=current_actor())
    except Conflict as error:
        flash(error.message, "bad")
    else:
        name = isolated(user.display_name)
        flash(_("%(name)s signs in by the password alone now.", name=name), "ok")
    return _to(user_id)


@users.post(f"{USER}/sessions/<int(max=2147483647):session_id>/end")
@requires("users.manage")
def end_session(user_id: int, session_id: int) -> ResponseReturnValue:
    """End one session of the person."""
    user = queries.get_user_of_id(user_id)
    browser_sessions.end(user, session_id, actor=current_actor())
    flash(_("The session was ended."), "ok")
    return _to(user_id)


@users.route(f"{USER}/tokens/<int(max=2147483647):token_id>/revoke", methods=["GET", "POST"])
@requires("users.manage")
def revoke_token(user_id: int, token_id: int) -> ResponseReturnValue:
    """Ask, then end one token of the person."""
    token = api_tokens.get_token(queries.get_user_of_id(user_id), token_id)
    return ask_to_revoke(token.name, _page_of(user_id)) or _revoke(user_id, token)


def _revoke(user_id: int, token: Any) -> ResponseReturnValue:
    api_tokens.revoke(token, actor=current_actor())
    flash(_("The token was revoked."), "ok")
    return _to(user_id)


def _question(user_id: int, title: str, text: str, yes: str, no: str) -> str:
    """The question about a person, who is named in its title; nothing once it was answered."""
    if request.method == "POST":
        return ""
    name = isolated(queries.get_user_of_id(user_id).display_name)
    return ask(title % {"name": name}, text, yes, no, _page_of(user_id))


def ask_to_revoke(name: str, back: str) -> str:
    """The question before a token ends; nothing once it was answered."""
    if request.method == "POST":
        return ""
    title = _("Revoke the token %(name)s?", name=isolated(name))
    text = _("A program that still uses it is refused from now on.")
    return ask(title, text, _("Revoke"), _("Keep the token"), back)


def ask(title: str, text: str, yes: str, no: str, back: str) -> str:
    """The question before what cannot be undone; the answer goes to the same address."""
    return render_template(
        "web/confirm.html",
        title=title,
        text=text,
        url=request.path,
        yes=yes,
        no=no,
        back=back,
        kind="danger filled",
    )


def _shown_once(user: User, title: str, password: str) -> str:
    text = _("Tell it to nobody else. It is shown only now; they change it in their account.")
    return render_template(
        "accounts/shown_once.html",
        title=title,
        text=text,
        name=user.username,
        secrets=[password],
        places=[(url_for(".index"), _("Users"))],
        back=_page_of(user.id),
    )


def _page_of(user_id: int) -> str:
    return url_for(".show", user_id=user_id)


def _to(user_id: int) -> ResponseReturnValue:
    return redirect(_page_of(user_id), 303)
