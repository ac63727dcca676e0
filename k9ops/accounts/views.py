"""The door: sign in, sign out; and one's own password."""

from flask import Blueprint, flash, redirect, render_template, request, session
from flask.typing import ResponseReturnValue

from k9ops.accounts import browser_sessions, services
from k9ops.accounts.errors import SignInLocked, SignInRefused
from k9ops.accounts.forms import PasswordForm, SignInForm
from k9ops.accounts.models import Theme
from k9ops.accounts.passwords import LONGEST, SHORTEST
from k9ops.accounts.sessions import (
    begin_session,
    current_actor,
    end_session,
    get_signed_in_user,
    own_session,
    signed_in_user,
)
from k9ops.core.errors import BadInput, K9Error
from k9ops.core.i18n import gettext as _
from k9ops.web.nav import state_facts
from k9ops.web.security import SIGNED_IN, is_api, public, requires, safe_path
from k9ops.web.views import keep_theme

bp = Blueprint("accounts", __name__, template_folder="templates")


@bp.get("/sign-in")
@public
def sign_in() -> ResponseReturnValue:
    """The sign-in page; who is already signed in goes on."""
    target = safe_path(request.args.get("next"))
    if signed_in_user():
        return redirect(target)
    return _sign_in_page(SignInForm(next=target))


@bp.post("/sign-in")
@public
def check_sign_in() -> ResponseReturnValue:
    form = SignInForm()
    if not form.validate():
        return _sign_in_page(form), 422
    try:
        user = services.sign_in(form.username.data, form.password.data, ip=request.remote_addr)
    except SignInRefused as error:
        return _sign_in_page(form, error), error.status
    except SignInLocked as error:
        return _sign_in_page(form, error), error.status, {"Retry-After": str(error.seconds_left)}
    response = redirect(safe_path(form.next.data), 303)
    if user.theme != Theme.SYSTEM:
        keep_theme(response, user.theme)
    begin_session(user, remember=form.remember.data)
    return response


@bp.before_app_request
def keep_choices() -> None:
    """A choice of language or theme that a signed-in person makes is theirs on every device."""
    language = request.args.get("lang")
    theme = request.form.get("theme") if request.endpoint == "web.choose_theme" else None
    if (language or theme) and not is_api():
        user = signed_in_user()
        if user:
            services.keep_choices(user, language=language, theme=theme)


@bp.post("/sign-out")
@requires(SIGNED_IN)
def sign_out() -> ResponseReturnValue:
    browser_sessions.sign_out(own_session(), actor=current_actor())
    end_session()
    return redirect("/sign-in", 303)


@bp.get("/account/password")
@requires(SIGNED_IN)
def password() -> str:
    """Where one changes one's own password."""
    return _password_page(PasswordForm())


@bp.post("/account/password")
@requires(SIGNED_IN)
def change_password() -> ResponseReturnValue:
    """Change it; other browsers of the person are signed out, this one goes on."""
    form, user = PasswordForm(), get_signed_in_user()
    if not form.validate():
        return _password_page(form), 422
    try:
        services.change_password(user, form.current.data, form.new.data, actor=current_actor())
    except (BadInput, SignInLocked) as error:
        field = form[error.field or "current"]
        field.errors = [f"{error.message} {error.hint}".strip()]
        return _password_page(form), error.status
    begin_session(user, remember=session.permanent)
    flash(_("Your password was changed. Other browsers were signed out."), "ok")
    return redirect("/account/password", 303)


def _password_page(form: PasswordForm) -> str:
    return render_template("accounts/password.html", form=form, limits=(SHORTEST, LONGEST))


def _sign_in_page(form: SignInForm, error: K9Error | None = None) -> str:
    return render_template("accounts/sign_in.html", form=form, error=error, system=state_facts())
