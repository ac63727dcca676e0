"""The pages of who has forgotten their password; they are there only when mail is set up."""

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from k9ops.accounts import password_links
from k9ops.accounts.errors import LinkVoid, SignInLocked, wait_of
from k9ops.accounts.forms import LinkForm, NewPasswordForm
from k9ops.accounts.passwords import LONGEST, SHORTEST
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import language
from k9ops.core.settings import current_settings
from k9ops.web.forms import saved
from k9ops.web.security import public

links = Blueprint("password_links", __name__, template_folder="templates")

_TOKEN = "password_link"  # noqa: S105  (a name, no secret)


@links.before_request
def need_mail() -> None:
    if not current_settings().mail_on:
        abort(404)


@links.route("/sign-in/forgotten", methods=["GET", "POST"])
@public
def ask() -> ResponseReturnValue:
    """Ask for a link; the answer is the same whether anybody has that name or not."""
    form, error = LinkForm(), None
    if form.validate_on_submit():
        try:
            spoken = language() or "ar"
            password_links.ask(form.username.data, ip=request.remote_addr, language=spoken)
        except SignInLocked as locked:
            error = locked
        else:
            return render_template("accounts/link_sent.html")
    page = render_template("accounts/ask_link.html", form=form, error=error)
    if error:
        return page, error.status, wait_of(error)
    return page, 422 if form.errors else 200


@links.get(f"{password_links.PATH}/<string(maxlength=100):token>")
@public
def take(token: str) -> ResponseReturnValue:
    """Keep the token and lead on: no address that stays in sight or is told to others has it."""
    session[_TOKEN] = token
    response = redirect(url_for(".new"), 303)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@links.route(password_links.PATH, methods=["GET", "POST"])
@public
def new() -> ResponseReturnValue:
    """Where the new password is typed."""
    form, token = NewPasswordForm(), session.get(_TOKEN, "")
    try:
        link = password_links.find_link(token)
        done = saved(form, lambda: _set(token, form))
    except LinkVoid:
        session.pop(_TOKEN, None)
        flash(_("This link does not hold any more. Ask for a new one."), "bad")
        return redirect(url_for(".ask"), 303)
    if not done:
        page = render_template(
            "accounts/new_password.html",
            form=form,
            username=link.user.username,
            limits=(SHORTEST, LONGEST),
        )
        return page, 422 if form.errors else 200
    session.pop(_TOKEN, None)
    flash(_("Your new password is set. Sign in with it."), "ok")
    return redirect(url_for("accounts.sign_in"), 303)


def _set(token: str, form: NewPasswordForm) -> bool:
    password_links.set_password(token, form.new.data, ip=request.remote_addr)
    return True
