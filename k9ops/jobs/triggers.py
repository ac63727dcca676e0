"""When a job is due: crontab and interval. One parser (cronsim) for preview and firing.

Source of the rules for days that jump: Debian's cron, as cronsim follows it. A fixed time inside
the gap fires right after it, inside the repeated hour once; `*/30` fires in both.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice, takewhile
from typing import Protocol
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from k9ops.core.errors import BadInput

#: Where intervals are counted from when nothing else is said.
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Cron:
    """Five crontab fields, read on the clock of `timezone` (the unit's by default)."""

    expression: str
    timezone: str | None = None

    def __post_init__(self) -> None:
        wrong = _wrong_with(self.expression)
        if wrong:
            raise BadInput(
                f"{self.expression!r} is no crontab expression: {wrong}.",
                code="bad_cron",
                field="cron",
                hint='Five fields: minute hour day month weekday, e.g. "0 2 * * *".',
            )
        if self.timezone is not None:
            check_zone(self.timezone)


@dataclass(frozen=True)
class Every:
    """An interval of seconds, counted from `anchor`."""

    seconds: float
    anchor: datetime = EPOCH

    def __post_init__(self) -> None:
        if not 0.1 <= self.seconds <= 366 * 86400:
            raise BadInput(
                f"An interval of {self.seconds} seconds cannot be kept.",
                code="bad_interval",
                field="every",
                hint="Give 0.1 seconds at least, and a year at most.",
            )


Trigger = Cron | Every

#: The fields of a crontab expression, in their order.
CRON_FIELDS = ("minute", "hour", "day", "month", "weekday")
#: Signs of a crontab expression: what its column takes.
LONGEST_CRON = 200


def _wrong_with(expression: str) -> str:
    """What cronsim says against it; nothing when it is right."""
    if len(expression) > LONGEST_CRON:
        return f"It has more than {LONGEST_CRON} characters"
    if len(expression.split()) != len(CRON_FIELDS):
        return "Wrong number of fields"
    try:
        CronSim(expression, EPOCH)
    except (CronSimError, ValueError, TypeError, AssertionError, RecursionError) as error:
        return str(error) or "it cannot be read"
    return ""


@dataclass(frozen=True)
class CronParts:
    """What a crontab expression comes to: the values of each field, as cronsim reads them.

    A day may be one of `LAST_DAYS`; a weekday a pair of itself (0 is Sunday) and its number in the
    month, `LAST_DAYS[0]` for the last. `day_and`: day and weekday must both fit; else one of them.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int | tuple[int, int]]
    day_and: bool


#: Among the days: the last of the month, and its last one from Monday to Friday.
LAST_DAYS = (CronSim.LAST, CronSim.LAST_WEEKDAY)


def cron_parts(expression: str) -> CronParts:
    """The values of each field of a crontab expression that is right."""
    read = CronSim(expression, EPOCH)
    weekdays = {day % 7 if isinstance(day, int) else day for day in read.weekdays}
    return CronParts(
        minutes=frozenset(read.minutes),
        hours=frozenset(read.hours),
        days=frozenset(read.days),
        months=frozenset(read.months),
        weekdays=frozenset(weekdays),
        day_and=read.day_and,
    )


def wrong_cron_fields(expression: str) -> set[str]:
    """Which fields of it are wrong, each looked at by itself; it has five."""
    fields = dict(zip(CRON_FIELDS, expression.split(), strict=True))
    return {
        name
        for name, text in fields.items()
        if _wrong_with(" ".join(text if other == name else "*" for other in CRON_FIELDS))
    }


class TaskRow(Protocol):
    """What a trigger needs of a periodic task's row."""

    cron: str | None
    every_seconds: float | None
    anchor_at: datetime
    timezone: str


def check_zone(name: str) -> str:
    """`name`, if it is an IANA time zone.

    Raises:
        BadInput: it is none.
    """
    if name not in _zones():
        hint = "Use an IANA name such as Asia/Riyadh."
        raise BadInput(f"Unknown time zone {name!r}.", field="timezone", hint=hint)
    return name


@cache
def _zones() -> set[str]:
    """Each asking walks through the files of all zones, and every tick asks."""
    return available_timezones()


def trigger_of(task: TaskRow) -> Trigger:
    """The trigger that a row holds, with its zone or anchor."""
    if task.cron is not None:
        return Cron(task.cron, task.timezone)
    return Every(task.every_seconds or 0, task.anchor_at)


def dues_after(trigger: Trigger, after: datetime) -> Iterator[datetime]:
    """All due times later than `after`, oldest first, in UTC."""
    if isinstance(trigger, Every):
        return _interval_dues(trigger, after)
    return _cron_dues(trigger, after)


def dues_between(trigger: Trigger, after: datetime, until: datetime) -> Iterator[datetime]:
    """Due times later than `after` and not later than `until`, oldest first, in UTC."""
    return takewhile(lambda due: due <= until, dues_after(trigger, after))


def next_due(trigger: Trigger, after: datetime) -> datetime | None:
    """The first due time after `after`, or None if there is none within 50 years."""
    return next(dues_after(trigger, after), None)


def next_dues(source: Trigger | TaskRow, after: datetime, count: int = 3) -> list[datetime]:
    """The next `count` due times after `after`, in UTC."""
    trigger = source if isinstance(source, Cron | Every) else trigger_of(source)
    return list(islice(dues_after(trigger, after), count))


def _cron_dues(cron: Cron, after: datetime) -> Iterator[datetime]:
    zone = ZoneInfo(cron.timezone or "UTC")
    # cronsim drops microseconds and then looks for later times: right for "after".
    for due in CronSim(cron.expression, after.astimezone(zone)):
        yield due.astimezone(UTC)


def _interval_dues(every: Every, after: datetime) -> Iterator[datetime]:
    step = timedelta(seconds=every.seconds)
    count = (after - every.anchor) // step + 1
    while True:
        yield every.anchor + count * step
        count += 1
