"""The pages of shifts."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from k9ops.accounts.sessions import current_actor
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.schedules import shifts as services
from k9ops.schedules.forms import ShiftForm
from k9ops.schedules.models import Shift
from k9ops.schedules.shifts import ShiftFilter, ShiftValues
from k9ops.web.filters import choice, page_number, search_words
from k9ops.web.forms import record_form_page, saving
from k9ops.web.security import requires

shifts = Blueprint("shifts", __name__, template_folder="templates")

SHIFT = "/shifts/<int(max=2147483647):shift_id>"


@shifts.get("/shifts")
@requires("shifts.view")
def index() -> str:
    """The shifts of the unit."""
    active = choice("active", _l("State"), {"yes": _l("In use"), "no": _l("Retired")})
    wanted = ShiftFilter(search_words(), active.value == "yes" if active.value else None)
    return render_template(
        "schedules/shifts.html",
        page=services.list_shifts(wanted, number=page_number()),
        in_use=services.count_active(),
        search=wanted.search,
        choices=[active],
        hours=_hours,
    )


def _hours(shift: Shift) -> str:
    """14:00–22:00; in Arabic in words."""
    ends = {"from": f"{shift.starts:%H:%M}", "to": f"{shift.ends:%H:%M}"}
    return _("%(from)s–%(to)s", **ends)


@shifts.route("/shifts/new", methods=["GET", "POST"])
@requires("shifts.edit")
def add() -> ResponseReturnValue:
    """Set up a shift."""
    return _edit(None)


@shifts.route(f"{SHIFT}/edit", methods=["GET", "POST"])
@requires("shifts.edit")
def edit(shift_id: int) -> ResponseReturnValue:
    """Change a shift."""
    return _edit(services.get_shift(shift_id))


def _edit(shift: Shift | None) -> ResponseReturnValue:
    form = ShiftForm(obj=shift)
    add_one, change_one = services.add_shift, services.change_shift
    save = saving(form, shift, ShiftValues, add_one, change_one, current_actor())
    return record_form_page(
        "schedules/shift.html", form, shift, save, lambda _kept: url_for(".index")
    )


@shifts.post(f"{SHIFT}/retire")
@requires("shifts.edit")
def retire(shift_id: int) -> ResponseReturnValue:
    """Plan nobody for it any more."""
    services.retire_shift(shift_id, actor=current_actor())
    return redirect(url_for(".index"), 303)


@shifts.post(f"{SHIFT}/reinstate")
@requires("shifts.edit")
def reinstate(shift_id: int) -> ResponseReturnValue:
    """Plan people for it again."""
    services.reinstate_shift(shift_id, actor=current_actor())
    return redirect(url_for(".index"), 303)
