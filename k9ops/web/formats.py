"""How figures, sizes and times are written, in the language of the reader.

Digits are Western in both languages; instants are told on the unit's clock.
"""

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from babel.dates import format_date, format_timedelta
from markupsafe import Markup

from k9ops.core.clock import utcnow
from k9ops.core.i18n import direction, get_locale, gettext
from k9ops.core.settings import current_settings


def locale() -> Any:
    return get_locale() or "en"


def number(value: float, digits: int = 0) -> str:
    """10346 → 10,346."""
    return f"{value:,.{digits}f}"


def percent(share: float, digits: int = 0) -> str:
    """0.975 → 98%. Only a whole is 100%: 0.9996 is 99.9%, never rounded up to it."""
    text = f"{share * 100:.{digits}f}"
    if share < 1 and float(text) >= 100:
        return f"{99.9 if digits <= 1 else 99.99}%"
    return f"{text}%"


def size(count: float | None) -> str:
    """Bytes in decimal units: 148200000 → 148.2 MB."""
    if count is None:
        return gettext("unknown")
    if count < 1e3:
        return gettext("%(n)s B", n=number(count))
    if count < 1e6:
        return gettext("%(n)s kB", n=number(count / 1e3, 1))
    if count < 1e9:
        return gettext("%(n)s MB", n=number(count / 1e6, 1))
    return gettext("%(n)s GB", n=number(count / 1e9, 1))


def duration(seconds: float | None) -> str:
    """0.3 s, 54.7 s, 2 min 07 s, 3 h 05 min, 4 d 2 h."""
    if seconds is None:
        return gettext("unknown")
    if seconds < 59.95:
        return gettext("%(s)s s", s=number(max(seconds, 0.0), 1))
    total = round(seconds)
    minutes, rest = divmod(total, 60)
    if minutes < 60:
        return gettext("%(m)d min %(s)02d s", m=minutes, s=rest)
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return gettext("%(h)d h %(m)02d min", h=hours, m=minutes)
    return gettext("%(d)d d %(h)d h", d=hours // 24, h=hours % 24)


def rough(seconds: float) -> str:
    """A duration for narrow cells: 3.1 s, 41 s, 1.4 min, 2.5 h."""
    if seconds < 60:
        return gettext("%(n)s s", n=_two_digits(seconds))
    if seconds < 3600:
        return gettext("%(n)s min", n=_two_digits(seconds / 60))
    return gettext("%(n)s h", n=_two_digits(seconds / 3600))


def _two_digits(value: float) -> str:
    return number(value, 0 if value >= 9.95 else 1)


def span(seconds: float) -> str:
    """An interval as people say it: 5 minutes, 1 hour; one that is not round as a duration."""
    # Babel rounds to the largest unit that fits, so only whole ones are left to it.
    units = (60, 1), (3600, 60), (86400, 3600), (7 * 86400, 86400)
    whole = next((unit for larger, unit in units if seconds < larger), 0)
    if not whole or seconds % whole:
        return duration(seconds)
    return format_timedelta(timedelta(seconds=seconds), threshold=1, locale=locale())


def isolated(text: object) -> str:
    """`text` fenced by signs, so that its direction does not turn the sentence round it."""
    return f"\u2068{text}\u2069"


def named(row: Any) -> str:
    """The name of the row in the reader's language, where it has one."""
    return str((direction() == "ltr" and row.name_en) or row.name)


def unit_name() -> str:
    """What the unit is called in the reader's language, where it has a name in it."""
    settings = current_settings()
    return str((direction() == "ltr" and settings.unit_name_en) or settings.unit_name)


def milliseconds(value: float | None) -> str:
    return duration(None if value is None else value / 1000)


def fine(value: float | None) -> str:
    """Milliseconds that may be few, for comparing: 0.004 s, 0.14 s, 22.4 s, 2 min 07 s."""
    if value is None or value >= 9995:
        return milliseconds(value)
    return gettext("%(s)s s", s=number(max(value, 0.0) / 1000, 3 if value < 99.5 else 2))


def local(instant: datetime) -> datetime:
    """The instant on the unit's clock."""
    return instant.astimezone(current_settings().zone)


def clock(instant: datetime, *, seconds: bool = False, fraction: bool = False) -> str:
    """Time of day on the unit's clock."""
    here = local(instant)
    if fraction:
        return f"{here:%H:%M:%S}.{here.microsecond // 1000:03d}"
    return f"{here:%H:%M:%S}" if seconds else f"{here:%H:%M}"


def day(instant: datetime) -> str:
    """Tuesday 17 November 2026."""
    return whole_date(local(instant).date())


@lru_cache(maxsize=1024)
def _written(of: date, pattern: str, of_locale: Any) -> str:
    """Kept, since a page writes few days many times."""
    return format_date(of, pattern, locale=of_locale)


def whole_date(of: date) -> str:
    """Tuesday 17 November 2026."""
    return _written(of, "EEEE d MMMM y", locale())


def weekday(of: date) -> str:
    """Tuesday 17: enough within a week."""
    return _written(of, "EEEE d", locale())


def on(the_day: date | None) -> str:
    """A day of the calendar: 17 November 2026; a dash where there is none."""
    return "—" if the_day is None else _written(the_day, "d MMMM y", locale())


def full(instant: datetime) -> str:
    """Everything, for titles: day, time, zone."""
    return f"{day(instant)} {clock(instant, seconds=True)} {zone_name()}"


def zone_name() -> str:
    """The city of the unit's clock."""
    name = current_settings().unit_timezone
    return gettext("Riyadh") if name == "Asia/Riyadh" else name.rpartition("/")[2].replace("_", " ")


def plain(instant: datetime, *, seconds: bool = False) -> str:
    """The instant as people say it within a sentence: today 02:00, Sun 15 Nov 21:00."""
    return f"{_day_within(instant)} {clock(instant, seconds=seconds)}"


def when(instant: datetime | None, *, seconds: bool = False) -> Markup:
    """As `plain`, standing alone, as markup with all of the instant in the title."""
    if instant is None:
        return Markup.escape(gettext("unknown"))
    return _time(instant, f"{_near_day(instant)} {clock(instant, seconds=seconds)}")


def brief(instant: datetime | None) -> Markup:
    """As `when`, in fewer words: today's time alone, within a week the weekday's name."""
    days = _days_from_now(instant) if instant is not None else 0
    if instant is None or abs(days) == 1 or abs(days) > 6:
        return when(instant)
    weekday = _written(local(instant).date(), "EEE", locale()) if days else ""
    return _time(instant, f"{weekday} {clock(instant)}".strip())


def ago(instant: datetime | None) -> Markup:
    """How long ago, or in how long: 8 hours ago, in 3 minutes."""
    if instant is None:
        return Markup.escape(gettext("unknown"))
    return _time(instant, distance(instant))


def distance(instant: datetime) -> str:
    """`ago` as plain text."""
    delta = instant - utcnow()
    if abs(delta) < timedelta(seconds=1):
        return gettext("now")
    return format_timedelta(delta, add_direction=True, locale=locale(), threshold=1)


def age(instant: datetime) -> str:
    """The time since then, without the word for "ago"."""
    return format_timedelta(utcnow() - instant, locale=locale(), threshold=1)


def until(instant: datetime) -> Markup:
    """How far off: in 3 minutes, tomorrow, Sun 15 Nov."""
    text = _near_day(instant) if _days_from_now(instant) else distance(instant)
    return _time(instant, text)


def near(instant: datetime | None, *, within: bool = False) -> Markup:
    """The day alone: Today, Sun 15 Nov; `within` a sentence today."""
    if instant is None:
        return Markup("—")
    return _time(instant, _day_within(instant) if within else _near_day(instant))


def stamp(instant: datetime, text: str) -> Markup:
    """`text` as a <time> of the instant."""
    return _time(instant, text)


def _time(instant: datetime, text: str) -> Markup:
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        local(instant).isoformat(timespec="milliseconds"), full(instant), text
    )


def _day_within(instant: datetime) -> str:
    day = _near_day(instant)
    return day.lower() if abs(_days_from_now(instant)) < 2 else day


def _near_day(instant: datetime) -> str:
    return near_date(local(instant).date())


def near_date(of: date) -> str:
    """A day as people say it: today, Sun 15 Nov."""
    near: dict[int, Any] = {
        -1: gettext("Yesterday"),
        0: gettext("Today"),
        1: gettext("Tomorrow"),
    }
    today = local(utcnow()).date()
    days = (of - today).days
    if days in near:
        return str(near[days])
    return _written(of, "EEE d MMM" if of.year == today.year else "EEE d MMM y", locale())


def _days_from_now(instant: datetime) -> int:
    return (local(instant).date() - local(utcnow()).date()).days
