"""What the rules of duty refuse."""

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm.exc import StaleDataError

from k9ops.core.errors import Conflict, K9Error
from k9ops.core.i18n import gettext as _


class DayLocked(Conflict):
    """The day is locked: nothing of it changes."""

    code = "day_locked"


class DoubleBooked(Conflict):
    """The handler or the dog stands elsewhere at that time."""

    code = "double_booked"


def day_locked(*, ended: bool = False) -> DayLocked:
    """`ended`: it is not locked anew, but the time for which it was opened is over."""
    hint = _("An administrator can open it again for a time, with a reason.")
    if ended:
        text = _("The time for which this day was opened is over: nothing of it can be changed.")
        return DayLocked(text, hint=hint)
    return DayLocked(_("This day is locked: nothing of it can be changed."), hint=hint)


def gave_way(error: DBAPIError) -> bool:
    """PostgreSQL ended the transaction for another: a deadlock, or no order of the two fits."""
    return getattr(error.orig, "pgcode", None) in ("40P01", "40001")


def explained(error: DBAPIError | StaleDataError) -> K9Error:
    """What a refusal by the database means; the names are those of migrations 0004 and 0005."""
    text = str(error.orig) if isinstance(error, DBAPIError) else ""
    if "day_locked" in text:
        return day_locked()
    if "ex_duty_schedule_items_handler" in text:
        message = _("This handler has another duty at that time.")
        hint = _("Choose another handler or another shift.")
        return DoubleBooked(message, field="handler_id", hint=hint)
    if "ex_duty_schedule_items_dog" in text:
        message = _("This dog is on another duty at that time.")
        return DoubleBooked(message, field="dog_id", hint=_("Choose another dog."))
    hint = _("Reload the page, look again, and try once more.")
    return Conflict(_("Something changed in the meantime."), code="changed", hint=hint)
