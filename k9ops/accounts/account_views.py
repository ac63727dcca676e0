"""The pages of one's own account."""

from flask import Blueprint, flash, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue

from k9ops.accounts import api_tokens, browser_sessions, browsers, profiles, two_step_codes
from k9ops.accounts.forms import ProfileForm, TokenForm
from k9ops.accounts.models import User
from k9ops.accounts.permissions import ROLE_TITLES, Role
from k9ops.accounts.profiles import ProfileValues
from k9ops.accounts.sessions import current_actor, get_signed_in_user, own_session
from k9ops.accounts.user_views import ask_to_revoke
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import ngettext
from k9ops.web.forms import saved
from k9ops.web.security import SIGNED_IN, requires
from k9ops.web.views import keep_theme

account = Blueprint("account", __name__, template_folder="templates")


@account.get("/account")
@requires(SIGNED_IN)
def show() -> str:
    """Who one is here, where one is signed in, and one's tokens."""
    user = get_signed_in_user()
    return _page(ProfileForm(obj=user), user)


@account.post("/account")
@requires(SIGNED_IN)
def change() -> ResponseReturnValue:
    """Change one's own profile."""
    user = get_signed_in_user()
    form = ProfileForm(obj=user)
    kept = saved(form, lambda: _keep(form, user))
    if kept is None:
        return _page(form, user), 422
    _speak(kept.language)
    flash(_("Your account was saved."), "ok")
    response = redirect(url_for(".show"), 303)
    keep_theme(response, kept.theme)
    return response


def _keep(form: ProfileForm, user: User) -> User:
    password = form.password.data or ""
    values, seen = form.values(ProfileValues), form.seen.data
    return profiles.change_profile(user, values, password, actor=current_actor(), seen=seen)


def _speak(language: str | None) -> None:
    """From the next page on; without a choice the browser's language counts again."""
    if language:
        session["language"] = language
    else:
        session.pop("language", None)


def _page(form: ProfileForm, user: User) -> str:
    on = two_step_codes.two_step_of(user.id)
    return render_template(
        "accounts/account.html",
        on=on,
        left=two_step_codes.recovery_codes_left(user.id) if on else 0,
        form=form,
        one=user,
        role=ROLE_TITLES[Role(user.role)],
        own=own_session(),
        sessions=browser_sessions.sessions_of(user),
        tokens=api_tokens.tokens_of(user),
        browsers=browsers,
    )


@account.post("/account/sessions/<int(max=2147483647):session_id>/end")
@requires(SIGNED_IN)
def end_session(session_id: int) -> ResponseReturnValue:
    """Sign out of another browser."""
    browser_sessions.end(get_signed_in_user(), session_id, actor=current_actor())
    flash(_("The session was ended."), "ok")
    return redirect(url_for(".show"), 303)


@account.post("/account/sessions/end-others")
@requires(SIGNED_IN)
def end_others() -> ResponseReturnValue:
    """Sign out of every browser but this one."""
    kept_id = own_session().id
    count = browser_sessions.end_others(get_signed_in_user(), kept_id, actor=current_actor())
    flash(ngettext("%(num)s session was ended.", "%(num)s sessions were ended.", count), "ok")
    return redirect(url_for(".show"), 303)


@account.route("/account/tokens/new", methods=["GET", "POST"])
@requires(SIGNED_IN)
def make_token() -> ResponseReturnValue:
    """Make an API token, which is shown once."""
    form, user = TokenForm(), get_signed_in_user()
    made = saved(
        form,
        lambda: api_tokens.create_token(
            user.username, form.name.data, days=form.days.data, actor=current_actor()
        ),
    )
    if made is None:
        return render_template("accounts/token_form.html", form=form), 422 if form.errors else 200
    return render_template(
        "accounts/shown_once.html",
        title=_("Your new token"),
        text=_("Keep it safe: it is shown only now, and whoever has it acts in your name."),
        name=made[1].name,
        secrets=[made[0]],
        places=[(url_for(".show"), _("Your account"))],
        back=url_for(".show"),
    )


@account.route("/account/tokens/<int(max=2147483647):token_id>/revoke", methods=["GET", "POST"])
@requires(SIGNED_IN)
def revoke_token(token_id: int) -> ResponseReturnValue:
    """Ask, then end one of one's own tokens."""
    token, back = api_tokens.get_token(get_signed_in_user(), token_id), url_for(".show")
    question = ask_to_revoke(token.name, back)
    if question:
        return question
    api_tokens.revoke(token, actor=current_actor())
    flash(_("The token was revoked."), "ok")
    return redirect(back, 303)
