"""The note of a day: what is to be known of all its duties."""

from flask import Blueprint, flash, request
from flask.typing import ResponseReturnValue

from k9ops.accounts.sessions import current_actor
from k9ops.core.i18n import gettext as _
from k9ops.projects.scope import current_viewer
from k9ops.schedules.errors import DayLocked
from k9ops.schedules.forms import DayNoteForm
from k9ops.schedules.models import DutySchedule
from k9ops.schedules.services import get_open_day, note_day
from k9ops.schedules.views import DAY, day_page, show_locked, to_day
from k9ops.web.forms import saved
from k9ops.web.security import requires

day_notes = Blueprint("day_notes", __name__)
day_notes.register_error_handler(DayLocked, show_locked)


@day_notes.route(f"{DAY}/note", methods=["GET", "POST"])
@requires("schedules.edit")
def note(day_id: int) -> ResponseReturnValue:
    """Keep the note; its form stands on the page of the day."""
    viewer = current_viewer()
    form = DayNoteForm(obj=get_open_day(viewer, day_id))
    if request.method == "GET":
        return to_day(day_id, "note")

    def save() -> DutySchedule:
        text, seen = form.notes.data or "", form.seen.data
        return note_day(viewer, day_id, text, actor=current_actor(), seen=seen)

    if saved(form, save) is None:
        return day_page(viewer, day_id, note=form), 422
    flash(_("The note of the day was saved."), "ok")
    return to_day(day_id, "note")
