"""The page of one's own two-step verification: what it asks for follows how far it is on."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from k9ops.accounts import totp, two_step, two_step_codes
from k9ops.accounts.forms import BeginForm, CodeForm, ProofForm, SwitchOffForm
from k9ops.accounts.models import User
from k9ops.accounts.sessions import current_actor, get_signed_in_user
from k9ops.core.i18n import gettext as _
from k9ops.web.formats import unit_name
from k9ops.web.forms import saved
from k9ops.web.security import SIGNED_IN, requires

Form = BeginForm | CodeForm | ProofForm
own_two_step = Blueprint("two_step", __name__, template_folder="templates")


@own_two_step.get("/account/two-step")
@requires(SIGNED_IN)
def show() -> str:
    """Whether it is on, and what can be done."""
    user = get_signed_in_user()
    return _page(user, _form_of(user))


@own_two_step.post("/account/two-step")
@requires(SIGNED_IN)
def change() -> ResponseReturnValue:
    """Begin, prove, renew the codes, or switch off: as the button says."""
    act = _ACTS.get(request.form.get("do", ""))
    return act(get_signed_in_user()) if act else redirect(url_for(".show"), 303)


def _begin(user: User) -> ResponseReturnValue:
    form = BeginForm()

    def begin() -> bool:
        two_step.begin(user, form.password.data, actor=current_actor())
        return True

    return redirect(url_for(".show"), 303) if saved(form, begin) else (_page(user, form), 422)


def _switch_on(user: User) -> ResponseReturnValue:
    form = CodeForm()
    codes = saved(form, lambda: two_step.switch_on(user, form.code.data, actor=current_actor()))
    return _shown_once(codes) if codes else (_page(user, form), 422)


def _renew(user: User) -> ResponseReturnValue:
    form = ProofForm()
    codes = saved(form, lambda: two_step.renew_codes(user, form.proof.data, actor=current_actor()))
    return _shown_once(codes) if codes else (_page(user, form), 422)


def _switch_off(user: User) -> ResponseReturnValue:
    form = SwitchOffForm()

    def switch_off() -> bool:
        two_step.switch_off(user, form.proof.data, actor=current_actor())
        return True

    if not saved(form, switch_off):
        return _page(user, form), 422
    flash(_("Two-step verification is off. Your password alone opens your account."), "ok")
    return redirect(url_for("account.show"), 303)


_ACTS: dict[str, Callable[[User], ResponseReturnValue]] = {
    "begin": _begin,
    "on": _switch_on,
    "codes": _renew,
    "off": _switch_off,
}


def _form_of(user: User) -> Form:
    """What is to be filled in next."""
    if two_step_codes.two_step_of(user.id):
        return ProofForm()
    return CodeForm() if two_step_codes.begun_by(user.id) else BeginForm()


def _page(user: User, form: Form) -> str:
    """With the form that was sent, unless it is one of before."""
    wanted = _form_of(user)
    on, begun = two_step_codes.two_step_of(user.id), two_step_codes.begun_by(user.id)
    secret = (begun and two_step_codes.secret_of(begun)) or ""
    return render_template(
        "accounts/two_step.html",
        form=form if type(form) is type(wanted) else wanted,
        off=form if isinstance(form, SwitchOffForm) else SwitchOffForm(),
        on=on,
        left=two_step_codes.recovery_codes_left(user.id) if on else 0,
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        qr=totp.picture(secret, user.username, unit_name()) if secret else "",
    )


def _shown_once(codes: list[str]) -> str:
    text = _(
        "Each opens your account once, in the place of the app's code. Print them or write them"
        " down, and keep them apart from your phone. They are shown only now."
    )
    return render_template(
        "accounts/shown_once.html",
        title=_("Your recovery codes"),
        text=text,
        name="",
        secrets=codes,
        places=[(url_for("account.show"), _("Your account"))],
        back=url_for("account.show"),
    )
