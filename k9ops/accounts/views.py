"""The door: sign in, sign out; and one's own password."""

from flask import Blueprint, flash, redirect, render_template, request, session
from flask.typing import ResponseReturnValue

from k9ops.accounts import browser_sessions, services
from k9ops.accounts.errors import CodeNeeded, SignInLocked, SignInRefused, wait_of
from k9ops.accounts.forms import CodeForm, PasswordForm, SignInForm
from k9ops.accounts.models import Theme, User
from k9ops.accounts.passwords import LONGEST, SHORTEST
from k9ops.accounts.sessions import (
    begin_session,
    current_actor,
    end_session,
    forget_half_way,
    get_signed_in_user,
    go_half_way,
    half_way,
    own_session,
    signed_in_user,
)
from k9ops.core.errors import BadInput, K9Error
from k9ops.core.i18n import gettext as _
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
    except (SignInRefused, SignInLocked) as error:
        return _sign_in_page(form, error), error.status, wait_of(error)
    except CodeNeeded as right:
        target = safe_path(form.next.data)
        go_half_way(right.user, remember=form.remember.data, target=target)
        return redirect("/sign-in/code", 303)
    return _let_in(user, form.next.data, remember=form.remember.data)


@bp.get("/sign-in/code")
@public
def code() -> ResponseReturnValue:
    """Where the code is asked for, after the right password."""
    return _code_page(CodeForm()) if half_way() else _from_the_start()


@bp.post("/sign-in/code")
@public
def check_code() -> ResponseReturnValue:
    form, known = CodeForm(), half_way()
    if known is None:
        return _from_the_start()
    if not form.validate():
        return _code_page(form), 422
    user, kept = known
    try:
        services.sign_in_by_code(user, form.code.data, ip=request.remote_addr)
    except (SignInRefused, SignInLocked) as error:
        return _code_page(form, error), error.status, wait_of(error)
    return _let_in(user, kept.next, remember=kept.remember)


def _from_the_start() -> ResponseReturnValue:
    """To the password, for whoever did not come half way, or no longer is there."""
    if forget_half_way():
        flash(_("That took too long, or your account was changed. Sign in again."), "bad")
    return redirect("/sign-in", 303)


def _let_in(user: User, target: str | None, *, remember: bool) -> ResponseReturnValue:
    """Begin the session, and lead to the page that was asked for."""
    response = redirect(safe_path(target), 303)
    if user.theme != Theme.SYSTEM:
        keep_theme(response, user.theme)
    begin_session(user, remember=remember)
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
    return render_template("accounts/sign_in.html", form=form, error=error)


def _code_page(form: CodeForm, error: K9Error | None = None) -> str:
    return render_template("accounts/code.html", form=form, error=error)
