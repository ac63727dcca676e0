"""The pages of shifts."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from k9ops.accounts.sessions import current_actor
from k9ops.audit.exports import export_list
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.schedules import shifts as services
from k9ops.schedules.forms import ShiftForm
from k9ops.schedules.models import Shift
from k9ops.schedules.shifts import ShiftFilter, ShiftValues
from k9ops.web.exports import KINDS, Column
from k9ops.web.filters import Choice, choice, page_number, search_words
from k9ops.web.forms import record_form_page, saving
from k9ops.web.security import requires

shifts = Blueprint("shifts", __name__, template_folder="templates")

SHIFT = "/shifts/<int(max=2147483647):shift_id>"
_STATES = {"yes": _l("In use"), "no": _l("Out of use")}
_COLUMNS = (
    Column[Shift](_l("Name"), lambda one: one.name),
    Column[Shift](_l("Name in English"), lambda one: one.name_en),
    Column[Shift](_l("Begins"), lambda one: f"{one.starts:%H:%M}"),
    Column[Shift](_l("Ends"), lambda one: f"{one.ends:%H:%M}"),
    Column[Shift](_l("State"), lambda one: _STATES["yes" if one.active else "no"]),
)


@shifts.get("/shifts")
@requires("shifts.view")
def index() -> str:
    """The shifts of the unit."""
    active = _choice()
    wanted = _wanted(active)
    return render_template(
        "schedules/shifts.html",
        page=services.list_shifts(wanted, number=page_number()),
        in_use=services.count_active(),
        search=wanted.search,
        choices=[active],
        hours=_hours,
    )


@shifts.get(f"/shifts/export/{KINDS}")
@requires("shifts.view")
def export(kind: str) -> ResponseReturnValue:
    """What the filters show, as a file."""
    rows = services.all_shifts(_wanted(_choice()))
    return export_list(kind, _("Shifts"), _COLUMNS, rows, actor=current_actor())


def _choice() -> Choice:
    return choice("active", _l("State"), _STATES)


def _wanted(active: Choice) -> ShiftFilter:
    return ShiftFilter(search_words(), active.value == "yes" if active.value else None)


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
