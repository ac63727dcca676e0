"""The page of settings."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from k9ops.accounts.sessions import current_actor
from k9ops.core.i18n import gettext as _
from k9ops.core.settings import look_again
from k9ops.settings.forms import GROUPS, SettingsForm, hints
from k9ops.settings.queries import edited_tasks
from k9ops.settings.services import change_settings
from k9ops.web.forms import saved
from k9ops.web.security import requires

bp = Blueprint("settings", __name__, template_folder="templates")


@bp.get("/settings")
@requires("settings.view")
def page() -> str:
    """What can be changed, and what the environment has fixed."""
    return _rendered(SettingsForm(look_again()))


@bp.post("/settings")
@requires("settings.manage")
def save() -> ResponseReturnValue:
    """Keep what was typed."""
    form = SettingsForm(look_again())

    def keep() -> bool:
        change_settings(form.changed_values(), actor=current_actor(), seen=form.seen.data)
        return True

    if saved(form, keep):
        flash(_("The settings were saved."), "ok")
        return redirect(url_for(".page"), 303)
    return _rendered(form), 422


def _rendered(form: SettingsForm) -> str:
    edited = edited_tasks(group.job for group in GROUPS if group.job)
    return render_template(
        "settings/page.html", form=form, groups=GROUPS, hints=hints(), edited=edited
    )
