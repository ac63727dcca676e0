"""Forms of duty."""

from datetime import datetime

from flask_wtf import FlaskForm
from wtforms import DateField, Field, SelectField, StringField, TextAreaField, TimeField
from wtforms.validators import InputRequired, Optional, ValidationError

from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.core.settings import current_settings
from k9ops.schedules.models import ATTENDANCE_TITLES, Attendance
from k9ops.schedules.services import ANEW, DAY_NOTE, NOTE, NewItem
from k9ops.schedules.shifts import CHECKS as SHIFT_CHECKS
from k9ops.web.forms import RecordForm, optional_id, options

#: What the browser's own picker of a day and time sends.
MINUTES = "%Y-%m-%dT%H:%M"


class ShiftForm(RecordForm):
    """What is kept of a shift."""

    checks = SHIFT_CHECKS

    name = StringField(_l("Name"))
    name_en = StringField(_l("Name in English"))
    starts = TimeField(_l("Begins"), [Optional()])
    ends = TimeField(_l("Ends"), [Optional()])


class PlanForm(FlaskForm):
    """A day of a project that is to be planned."""

    project_id = StringField()
    date = DateField(_l("Day"), [InputRequired(_l("Choose a day."))])


class ItemForm(RecordForm):
    """Who is to stand where; the view fills in the choices."""

    checks = NOTE
    also = tuple(ANEW)

    shift_id = SelectField(_l("Shift"), [InputRequired(_l("Choose a shift."))], coerce=optional_id)
    handler_id = SelectField(
        _l("Dog handler"), [InputRequired(_l("Choose a handler."))], coerce=optional_id
    )
    dog_id = SelectField(_l("Dog"), coerce=optional_id)
    place_id = SelectField(_l("Place"), coerce=optional_id)
    note = TextAreaField(_l("Note"))

    def value(self) -> NewItem:
        return NewItem(
            handler_id=self.handler_id.data,
            shift_id=self.shift_id.data,
            dog_id=self.dog_id.data,
            place_id=self.place_id.data,
            note=self.note.data or "",
        )


class AttendanceForm(RecordForm):
    """Who came, or who stood in."""

    checks = NOTE

    attendance = SelectField(_l("Attendance"), choices=options(ATTENDANCE_TITLES))
    replacement_id = SelectField(_l("Who stood in"), coerce=optional_id)
    note = TextAreaField(_l("Note"))

    def replacement(self) -> int | None:
        replaced = self.attendance.data == Attendance.REPLACED
        return self.replacement_id.data if replaced else None


class DayNoteForm(RecordForm):
    """What is to be known of the whole day."""

    checks = DAY_NOTE

    notes = TextAreaField(_l("Note of the day"))


class LockForm(FlaskForm):
    """Why a day is locked by hand."""

    reason = TextAreaField(_l("Reason"), [InputRequired(_l("Give a reason."))])


class UnlockForm(LockForm):
    """Why a locked day is opened, and until when on the unit's clock."""

    until = StringField(_l("Open until"), [InputRequired(_l("Choose a day and a time."))])

    def validate_until(self, field: Field) -> None:
        if self.instant() is None:
            raise ValidationError(_("Choose a day and a time."))

    def instant(self) -> datetime | None:
        try:
            typed = datetime.strptime(self.until.data or "", MINUTES)  # noqa: DTZ007
        except ValueError:
            return None
        return typed.replace(tzinfo=current_settings().zone)


class CopyForm(FlaskForm):
    """To which day the duties are copied."""

    to = DateField(_l("To the day"), [InputRequired(_l("Choose a day."))])
