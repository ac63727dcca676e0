"""Forms: a task's schedule, with what it would come to; a job's arguments by its signature."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    Field,
    HiddenField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.form import BaseForm

from k9ops.core.clock import read_now
from k9ops.core.db import db
from k9ops.core.errors import BadInput
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.core.i18n import ngettext
from k9ops.core.paging import row_key
from k9ops.core.settings import current_settings
from k9ops.jobs.arguments import Argument, Fault
from k9ops.jobs.models import PeriodicTask, TaskVersion
from k9ops.jobs.registry import Job
from k9ops.jobs.states import Via
from k9ops.jobs.tasks import checked_terms, trigger_from
from k9ops.jobs.triggers import CRON_FIELDS, LONGEST_CRON, next_dues, wrong_cron_fields
from k9ops.monitoring import trigger_words
from k9ops.web.forms import options

KINDS: dict[str, Any] = {
    "cron": _l("At set times, written as a crontab"),
    "every": _l("At an interval"),
}
UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
UNIT_WORDS: dict[str, Any] = {
    "seconds": _l("seconds"),
    "minutes": _l("minutes"),
    "hours": _l("hours"),
    "days": _l("days"),
}
MISFIRE: dict[str, Any] = {
    "latest": _l("Run the newest of them once"),
    "each": _l("Run each of them, a hundred at most"),
    "skip": _l("Run none of them"),
}
OVERLAP: dict[str, Any] = {
    "allow": _l("Start it all the same"),
    "skip": _l("Skip the new one"),
}
PREVIEWED = 10
_CRONTAB, _INTERVAL = "0 2 * * *", 3600


@dataclass(frozen=True)
class CronField:
    """One field of the crontab that was typed: what it means, or what is wrong with it."""

    title: Any
    typed: str
    meaning: str
    wrong: bool


@dataclass(frozen=True)
class Preview:
    """What a schedule comes to: in words, and its next times."""

    sentence: str
    timezone: str
    dues: list[datetime]
    seconds: bool


@cache
def zones() -> list[str]:
    """All time zones that have a city."""
    return sorted(name for name in available_timezones() if "/" in name or name == "UTC")


class ScheduleForm(FlaskForm):
    """When a task is due and what holds for what it misses."""

    kind = RadioField(_l("It is due"), choices=options(KINDS), default="cron")
    cron = StringField(_l("Crontab"))
    every = StringField(_l("Every"))
    unit = SelectField(_l("Unit"), choices=options(UNIT_WORDS))
    timezone = SelectField(_l("Clock of the crontab"))
    misfire = SelectField(_l("When times were missed"), choices=options(MISFIRE))
    overlap = SelectField(_l("While the one before still runs"), choices=options(OVERLAP))
    #: The version of the task that was shown; 0 where there was none.
    seen = HiddenField()

    def __init__(self, shown: PeriodicTask | TaskVersion | None, task: PeriodicTask | None) -> None:
        super().__init__(data=_filled(shown) | {"seen": task.version if task else 0})
        self.timezone.choices = options({name: name for name in _zones_from(shown)})
        #: Each field of the crontab that was typed, once it has five.
        self.fields_told: list[CronField] = []

    @property
    def seen_version(self) -> int:
        try:
            return row_key(self.seen.data or "0")
        except ValueError:
            return 0

    def validate(self, extra_validators: Any = None) -> bool:
        right = bool(super().validate(extra_validators))
        return self._trigger_is_right() and right

    def validate_shown(self) -> bool:
        """Look at what the page fills in by itself, so that it explains it."""
        return self._trigger_is_right()

    def terms(self) -> dict[str, Any]:
        """The trigger and the policies, as the services take them."""
        cron = self.cron.data.strip() if self.kind.data == "cron" else None
        every = self._seconds() if cron is None else None
        policy = {name: self[name].data for name in ("timezone", "misfire", "overlap")}
        return {"cron": cron, "every": every, **policy}

    def preview(self) -> Preview:
        """What was typed comes to; it is right."""
        columns = checked_terms(**self.terms())
        dues = next_dues(trigger_from(columns), read_now(db.session()), PREVIEWED)
        every = columns["every_seconds"]
        return Preview(
            sentence=trigger_words.trigger_sentence(columns["cron"], every),
            timezone=columns["timezone"],
            dues=dues,
            seconds=every is not None and every % 60 != 0,
        )

    def _trigger_is_right(self) -> bool:
        field = self.cron if self.kind.data == "cron" else self.every
        if self.kind.errors or self.unit.errors:
            return False
        fault = self._fault_of_cron() if field is self.cron else self._fault_of_interval()
        if fault:
            field.errors = [fault]
        return not fault

    def _fault_of_cron(self) -> str:
        typed = (self.cron.data or "").strip()
        fields = typed.split()
        if len(typed) > LONGEST_CRON:
            return _("At most %(n)s characters.", n=LONGEST_CRON)
        if len(fields) != len(CRON_FIELDS):
            wanted = _("A crontab has five fields: minute, hour, day, month, weekday.")
            return wanted + " " + ngettext("This has %(num)s.", "This has %(num)s.", len(fields))
        wrong = wrong_cron_fields(typed)
        self.fields_told = [
            _told(name, text, name in wrong) for name, text in zip(CRON_FIELDS, fields, strict=True)
        ]
        if wrong:
            names = [str(trigger_words.FIELDS[name]) for name in CRON_FIELDS if name in wrong]
            return _("Wrong: %(fields)s. Each field is explained below.", fields=", ".join(names))
        return self._refused()

    def _fault_of_interval(self) -> str:
        try:
            self._seconds()
        except ValueError:
            return _("Give a number, such as 15.")
        return self._refused()

    def _refused(self) -> str:
        """What the engine says against a trigger that can be read."""
        try:
            checked_terms(**self.terms() | {"timezone": None})
        except BadInput as error:
            if error.field == "cron":
                return _("No day is ever like that, so it would never run.")
            return _("Give 0.1 seconds at least and 366 days at most.")
        return ""

    def _seconds(self) -> float:
        return float(self.every.data or "") * UNITS[self.unit.data]


def _told(name: str, text: str, wrong: bool) -> CronField:
    if wrong:
        return CronField(trigger_words.FIELDS[name], text, str(trigger_words.ALLOWED[name]), True)
    alone = " ".join(text if other == name else "*" for other in CRON_FIELDS)
    return CronField(
        trigger_words.FIELDS[name], text, trigger_words.field_meaning(name, alone), False
    )


def _filled(shown: PeriodicTask | TaskVersion | None) -> dict[str, Any]:
    """The fields as a task or an earlier version of it fills them."""
    if shown is None:
        zone = current_settings().unit_timezone
        return {"cron": _CRONTAB, "timezone": zone} | _interval(_INTERVAL)
    plain = {name: getattr(shown, name) for name in ("timezone", "misfire", "overlap")}
    kind = "cron" if shown.cron is not None else "every"
    every = _interval(shown.every_seconds or _INTERVAL)
    return {"kind": kind, "cron": shown.cron or _CRONTAB, **every, **plain}


def _interval(seconds: float) -> dict[str, str]:
    """An interval in the largest unit that divides it."""
    whole = [name for name, length in UNITS.items() if seconds % length == 0]
    unit = whole[-1] if whole else "seconds"
    return {"every": f"{seconds / UNITS[unit]:g}", "unit": unit}


def _zones_from(shown: PeriodicTask | TaskVersion | None) -> list[str]:
    """The unit's zone and the shown one first."""
    first = [current_settings().unit_timezone, *([shown.timezone] if shown else [])]
    return list(dict.fromkeys([*first, *zones()]))


VIA: dict[str, Any] = {
    "auto": _l("Celery, else the application"),
    "celery": _l("Only Celery; it waits until a worker takes it"),
    "here": _l("The application itself"),
}
#: What is wrong with an argument, by pydantic's word; its figures are filled in.
_FAULTS: dict[str, Any] = {
    "missing": _l("This is needed."),
    "int_parsing": _l("Give a whole number."),
    "int_type": _l("Give a whole number."),
    "int_from_float": _l("Give a whole number."),
    "int_parsing_size": _l("This number is too large."),
    "float_parsing": _l("Give a number."),
    "float_type": _l("Give a number."),
    "finite_number": _l("Give a number."),
    "greater_than": _l("Give more than %(gt)s."),
    "greater_than_equal": _l("Give %(ge)s at least."),
    "less_than": _l("Give less than %(lt)s."),
    "less_than_equal": _l("Give %(le)s at most."),
    "date_from_datetime_parsing": _l("Give a day such as 2026-11-30."),
    "date_parsing": _l("Give a day such as 2026-11-30."),
    "datetime_from_date_parsing": _l("Give a day and a time such as 2026-11-30T06:30."),
    "datetime_parsing": _l("Give a day and a time such as 2026-11-30T06:30."),
    "literal_error": _l("Choose one of those offered."),
    "enum": _l("Choose one of those offered."),
    "string_too_short": _l("Give %(min_length)s characters at least."),
    "string_too_long": _l("Give %(max_length)s characters at most."),
    "json_invalid": _l("This is no JSON."),
    "dict_type": _l("Give a JSON object, such as {}."),
    "list_type": _l("Give a JSON list, such as []."),
}


class ArgumentsForm(BaseForm):
    """A form made from a job's signature, with the way that the run is to take."""

    def __init__(self, job: Job[..., Any], given: Mapping[str, Any]) -> None:
        self.arguments = job.describe_arguments()
        made = {one.name: _field_of(one) for one in self.arguments}
        choice = SelectField(_l("Path"), choices=options(VIA), default="auto")
        super().__init__(made | {_WAY: choice}, prefix="arg-")
        self._job = job
        self._shown = {one.name: _as_text(one, given.get(one.name)) for one in self.arguments}

    def show(self) -> None:
        """Fill in what holds when nobody types anything else."""
        self.process(data=self._shown)

    def read(self, sent: Any) -> dict[str, Any] | None:
        """The arguments that were sent, without those that are as by default; None: see errors."""
        self.process(sent)
        right = self.validate()
        values, faults = self._job.read_arguments(self._texts())
        for name, fault in faults.items():
            self[name].errors = [_fault_text(fault)]
        if faults or not right:
            return None
        defaults = {one.name: one.default for one in self.arguments if not one.required}
        return {
            name: value
            for name, value in values.items()
            if name not in defaults or value != defaults[name]
        }

    @property
    def via(self) -> Via:
        return Via(self[_WAY].data)

    def _texts(self) -> dict[str, str]:
        """What was typed; an empty field that needs no value was not given."""
        found = {}
        for one in self.arguments:
            data = self[one.name].data
            is_switch = one.kind == "yes_no" and not one.optional
            text = ("true" if data else "false") if is_switch else str(data or "")
            plain = one.kind == "text" and not one.optional and not one.required
            if text.strip() or plain:
                found[one.name] = text if one.kind == "text" else text.strip()
        return found


#: No parameter of a function has such a name.
_WAY = "the-way"


def _field_of(one: Argument) -> Field:
    """The field that takes such an argument."""
    if one.kind == "yes_no" and not one.optional:
        return BooleanField(one.title)
    if one.kind in ("choice", "yes_no"):
        words: dict[str, Any] = {"true": _l("yes"), "false": _l("no")}
        offered = words if one.kind == "yes_no" else {str(value): value for value in one.choices}
        none = "—" if one.optional or one.required else None
        return SelectField(one.title, choices=options(offered, none=none))
    return TextAreaField(one.title) if one.kind == "json" else StringField(one.title)


def _as_text(one: Argument, given: Any) -> Any:
    """A value as its field shows it."""
    value = one.default if given is None else given
    if one.kind == "yes_no" and not one.optional:
        return bool(value)
    if value is None:
        return ""
    if one.kind == "json":
        return json.dumps(value, ensure_ascii=False) if value not in ({}, []) else ""
    return str(value).lower() if one.kind == "yes_no" else str(value)


def _fault_text(fault: Fault) -> str:
    known = _FAULTS.get(fault.type)
    return str(known) % fault.context if known else fault.text
