"""When a trigger is due, as a sentence in the reader's language."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from babel.dates import get_day_names, get_month_names
from babel.lists import format_list

from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.core.i18n import ngettext
from k9ops.jobs.triggers import LAST_DAYS, CronParts, cron_parts
from k9ops.web import formats

#: So many times of day are listed one by one.
_LISTED = 8
_MONTHS, _DAYS, _WEEKDAYS, _HOURS, _MINUTES = 12, 31, 7, 24, 60

FIELDS: dict[str, Any] = {
    "minute": _l("Minute"),
    "hour": _l("Hour"),
    "day": _l("Day of the month"),
    "month": _l("Month"),
    "weekday": _l("Weekday"),
}
ALLOWED: dict[str, Any] = {
    "minute": _l("Give 0 to 59, * for every one, */15 for every fifteenth, or a list: 0,30."),
    "hour": _l("Give 0 to 23, * for every one, */2 for every second, or a range such as 8-17."),
    "day": _l("Give 1 to 31, * for every one, L for the last, or a list such as 1,15."),
    "month": _l("Give 1 to 12 or JAN to DEC, * for every one, or a list such as 1,7."),
    "weekday": _l("Give 0 to 7 or SUN to SAT (0 and 7 are Sunday), * for every one, or SUN-THU."),
}
_NTH: dict[int, Any] = {
    1: _l("on the first %(weekday)s of the month"),
    2: _l("on the second %(weekday)s of the month"),
    3: _l("on the third %(weekday)s of the month"),
    4: _l("on the fourth %(weekday)s of the month"),
    5: _l("on the fifth %(weekday)s of the month"),
    LAST_DAYS[0]: _l("on the last %(weekday)s of the month"),
}


def trigger_sentence(cron: str | None, every_seconds: float | None) -> str:
    """At 02:00, every day. A crontab that is right, or an interval."""
    if cron is None:
        return _sentence([_("every %(span)s", span=formats.span(every_seconds or 0))])
    parts = cron_parts(cron)
    return _sentence([*_times(parts), _days(parts), _months(parts)])


def _sentence(phrases: Iterable[str]) -> str:
    text = (_(",") + " ").join(filter(None, phrases))
    return text[:1].upper() + text[1:]


def field_meaning(name: str, expression: str) -> str:
    """What one field of a crontab that is right comes to."""
    parts = cron_parts(expression)
    told: dict[str, tuple[Collection[Any], int]] = {
        "minute": (parts.minutes, _MINUTES),
        "hour": (parts.hours, _HOURS),
        "day": (parts.days, _DAYS),
        "month": (parts.months, _MONTHS),
        "weekday": (parts.weekdays, _WEEKDAYS),
    }
    values, whole = told[name]
    if len(values) == whole:
        return _("every one")
    if name == "weekday":
        return _weekdays(parts)
    if name == "day":
        return _month_days(parts)
    return _listed(values) if name != "month" else _and(_month_name(one) for one in sorted(values))


def _times(parts: CronParts) -> list[str]:
    minutes, hours = sorted(parts.minutes), sorted(parts.hours)
    if len(hours) == _HOURS:
        return [_each_hour(minutes)]
    if len(minutes) == 1 and (step := _step(hours, _HOURS)):
        every = ngettext("every %(num)s hour", "every %(num)s hours", step)
        return [every, _at_minute(minutes[0])]
    if len(minutes) * len(hours) <= _LISTED:
        times = [f"{hour:02d}:{minute:02d}" for hour in hours for minute in minutes]
        return [_("at %(times)s", times=_and(times))]
    return [_each_hour(minutes), _within(hours)]


def _each_hour(minutes: Sequence[int]) -> str:
    step = 1 if len(minutes) == _MINUTES else _step(minutes, _MINUTES)
    if step == 1:
        return _("every minute")
    if step:
        return ngettext("every %(num)s minute", "every %(num)s minutes", step)
    if len(minutes) == 1:
        return (_("every hour") + " " + _at_minute(minutes[0])).strip()
    return _("at the minutes %(minutes)s of the hour", minutes=_listed(minutes))


def _at_minute(minute: int) -> str:
    return _("at minute %(minute)s", minute=minute) if minute else ""


def _within(hours: Sequence[int]) -> str:
    if hours[-1] - hours[0] == len(hours) - 1:
        first, last = f"{hours[0]:02d}:00", f"{hours[-1]:02d}:59"
        return _("from %(first)s to %(last)s", first=first, last=last)
    return _("in the hours %(hours)s", hours=_listed(hours))


def _step(values: Sequence[int], whole: int) -> int:
    """The step when the values are every so many of the whole, from 0; else 0."""
    step = values[1] if len(values) > 1 and values[0] == 0 else 0
    regular = step and whole % step == 0 and list(values) == list(range(0, whole, step))
    return step if regular and len(values) > 2 else 0


def _days(parts: CronParts) -> str:
    some_days, some_weekdays = len(parts.days) < _DAYS, len(parts.weekdays) < _WEEKDAYS
    if some_days and some_weekdays:
        days, weekdays = _month_days(parts), _weekdays(parts)
        if parts.day_and:
            return _("%(days)s, if it is %(weekdays)s too", days=days, weekdays=weekdays)
        return _("%(days)s and also %(weekdays)s", days=days, weekdays=weekdays)
    if some_days:
        return _month_days(parts)
    if some_weekdays:
        return _weekdays(parts)
    return "" if len(parts.hours) == _HOURS else _("every day")


def _month_days(parts: CronParts) -> str:
    days = sorted(day for day in parts.days if day not in LAST_DAYS)
    told = []
    if len(days) == 1:
        told.append(_("on day %(day)s of the month", day=days[0]))
    elif days:
        told.append(_("on the days %(days)s of the month", days=_listed(days)))
    if LAST_DAYS[0] in parts.days:
        told.append(_("on the last day of the month"))
    if LAST_DAYS[1] in parts.days:
        told.append(_("on the month’s last day from Monday to Friday"))
    return _and(told)


def _weekdays(parts: CronParts) -> str:
    plain = sorted(day for day in parts.weekdays if isinstance(day, int))
    told = [
        str(_NTH[one[1]]) % {"weekday": _day_name(one[0])}
        for one in sorted(day for day in parts.weekdays if isinstance(day, tuple))
    ]
    if len(plain) > 2 and plain[-1] - plain[0] == len(plain) - 1:
        first, last = _day_name(plain[0]), _day_name(plain[-1])
        told.insert(0, _("from %(first)s to %(last)s", first=first, last=last))
    elif plain:
        told.insert(0, _("on %(days)s", days=_and(map(_day_name, plain))))
    return _and(told)


def _months(parts: CronParts) -> str:
    if len(parts.months) == _MONTHS:
        return ""
    return _("in %(months)s", months=_and(_month_name(month) for month in sorted(parts.months)))


def _listed(values: Iterable[int]) -> str:
    """1, 5, 8 to 12: what follows one upon another in one piece."""
    spans: list[list[int]] = []
    for value in sorted(values):
        if spans and value == spans[-1][-1] + 1:
            spans[-1].append(value)
        else:
            spans.append([value])
    told: list[str] = []
    for span in spans:
        if len(span) > 2:
            told.append(_("%(first)s to %(last)s", first=span[0], last=span[-1]))
        else:
            told += map(str, span)
    return _and(told)


def _and(words: Iterable[str]) -> str:
    return format_list(list(words), locale=formats.locale())


def _day_name(weekday: int) -> str:
    return str(get_day_names("wide", "stand-alone", formats.locale())[(weekday - 1) % 7])


def _month_name(month: int) -> str:
    return str(get_month_names("wide", "stand-alone", formats.locale())[month])
