"""The words of what changed: the thing, the field, the value."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from k9ops.accounts.permissions import ROLE_TITLES
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.jobs.registry import catalogue
from k9ops.kennel.models import SEX_TITLES, SPECIALTY_TITLES
from k9ops.kennel.models import STATUS_TITLES as DOG_STATUS_TITLES
from k9ops.kennel.words import FITNESS_TITLES
from k9ops.people.models import WORK_TITLES
from k9ops.projects.models import STATUS_TITLES as PROJECT_STATUS_TITLES
from k9ops.schedules.locking import ENDED, OVER
from k9ops.schedules.models import ATTENDANCE_TITLES
from k9ops.settings.forms import FREQUENCIES, field_titles
from k9ops.web import formats

#: The kinds of things in the order of the filter; the pages of some, with what names one there.
KINDS: dict[str, Any] = {
    "person": _l("Person"),
    "dog": _l("Dog"),
    "project": _l("Project"),
    "place": _l("Place"),
    "assignment": _l("Assignment"),
    "duty_schedule": _l("Day of duty"),
    "shift": _l("Shift"),
    "document": _l("Document"),
    "list": _l("List"),
    "user": _l("Account"),
    "run": _l("Run"),
    "task": _l("Job"),
    "queue": _l("Queue"),
    "backup": _l("Backup"),
    "setting": _l("Setting"),
}
PAGES: dict[str, tuple[str, str]] = {
    "person": ("people.show", "person_id"),
    "dog": ("kennel.show", "dog_id"),
    "project": ("projects.show", "project_id"),
    "duty_schedule": ("schedules.day", "day_id"),
    "run": ("monitoring.run", "run_id"),
    "user": ("users.show", "user_id"),
}
LISTS = {
    "people": _l("People"),
    "shifts": _l("Shifts"),
    "dogs": _l("Dogs"),
    "projects": _l("Projects"),
    "documents": _l("Documents"),
    "jobs": _l("Jobs"),
    "notifications": _l("Notifications"),
    "schedules": _l("Days of duty"),
    "runs": _l("Runs"),
    "audit": _l("Audit log"),
    "backups": _l("Backups"),
    "users": _l("Accounts"),
}
_FIELDS: dict[str, Any] = {
    "active": _l("In use"),
    "person.active": _l("In service"),
    "arguments": _l("Arguments"),
    "attempts_before": _l("Tries before"),
    "attendance": _l("Attendance"),
    "born_on": _l("Born on"),
    "breed": _l("Breed"),
    "code": _l("Code"),
    "count": _l("Count"),
    "cron": _l("Crontab"),
    "days": _l("Days"),
    "dog_id": _l("Dog"),
    "email": _l("E-mail address"),
    "ends": _l("Ends"),
    "ends_on": _l("Last day"),
    "every_seconds": _l("Every (seconds)"),
    "filters": _l("Filters"),
    "fitness": _l("Fitness"),
    "format": _l("Format"),
    "from_on": _l("From"),
    "full_name": _l("Full name"),
    "handler_id": _l("Dog handler"),
    "hired_on": _l("In the unit since"),
    "key": _l("Key"),
    "language": _l("Language"),
    "manager_id": _l("Manager"),
    "messages": _l("Messages"),
    "microchip": _l("Microchip"),
    "misfire": _l("After a gap"),
    "name": _l("Name"),
    "name_en": _l("Name in English"),
    "note": _l("Note"),
    "notes": _l("Notes"),
    "number": _l("Number"),
    "outcome": _l("Outcome"),
    "overlap": _l("Overlap"),
    "person_id": _l("Person"),
    "phone": _l("Phone"),
    "place_id": _l("Place"),
    "project_id": _l("Project"),
    "reason": _l("Reason"),
    "replacement": _l("Stood in"),
    "replacement_id": _l("Stood in"),
    "report": _l("Report"),
    "role": _l("Role"),
    "two_step": _l("Two-step verification"),
    "sex": _l("Sex"),
    "shift_id": _l("Shift"),
    "specialty": _l("Specialty"),
    "starts": _l("Begins"),
    "starts_on": _l("First day"),
    "state": _l("State"),
    "status": _l("Status"),
    "theme": _l("Theme"),
    "timezone": _l("Time zone"),
    "to_on": _l("Last day"),
    "token": _l("Token"),
    "tries_left": _l("Tries left"),
    "until": _l("Until"),
    "user_id": _l("Account"),
    "username": _l("Name"),
    "via": _l("Path"),
    "weight_kg": _l("Weight (kg)"),
    "work": _l("Work"),
}
_FIELDS |= {f"setting.{name}": title for name, title in field_titles().items()}
#: As the fields, by their names, or by the kind of thing and the name.
_VALUES: dict[str, Mapping[Any, Any]] = {
    "attendance": ATTENDANCE_TITLES,
    "fitness": FITNESS_TITLES,
    "role": ROLE_TITLES,
    "two_step": {
        "app": _l("code of the app"),
        "recovery_code": _l("recovery code"),
        "wrong": _l("wrong code"),
    },
    "sex": SEX_TITLES,
    "specialty": SPECIALTY_TITLES,
    "dog.status": DOG_STATUS_TITLES,
    "project.status": PROJECT_STATUS_TITLES,
    "work": WORK_TITLES,
    "backup_frequency": FREQUENCIES,
    "language": {"ar": _l("Arabic"), "en": _l("English")},
    "reason": {OVER: _l("the day is over"), ENDED: _l("its opening has ended")},
}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*[+Z]")


def kind_title(kind: str) -> str:
    """What the things of a kind are called."""
    return str(KINDS.get(kind) or kind.replace("_", " "))


def field_title(kind: str, name: str) -> str:
    """What a column of a kind of thing is called; one without words reads as its own name."""
    known = _FIELDS.get(f"{kind}.{name}") or _FIELDS.get(name)
    return str(known or name.removesuffix("_id").replace("_", " "))


def value_text(kind: str, name: str, value: Any) -> str:
    """A value as people read it; nothing is a dash."""
    if value is None or value == "" or value in ([], {}):
        return "—"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return f"{_(',')} ".join(value_text(kind, name, one) for one in value)
    if isinstance(value, dict):
        pairs = (f"{field_title(kind, k)}: {value_text(kind, k, v)}" for k, v in value.items())
        return "; ".join(pairs)
    if isinstance(value, str):
        words = _VALUES.get(f"{kind}.{name}") or _VALUES.get(name, {})
        known = words.get(value)
        return str(known) if known else _of_text(value)
    return str(value)


def _of_text(value: str) -> str:
    try:
        if _DAY.fullmatch(value):
            return formats.on(date.fromisoformat(value))
        if _INSTANT.match(value):
            return formats.plain(datetime.fromisoformat(value))
    except ValueError:
        pass
    return value


def thing_name(kind: str, name: str) -> str:
    """How the thing is called, for those that the product names itself."""
    if kind in ("run", "task") and name in catalogue():
        return str(catalogue()[name].title)
    return str(LISTS.get(name, name)) if kind == "list" else name
