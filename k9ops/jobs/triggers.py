"""When a job is due: crontab and interval. One parser (cronsim) for preview and firing.

Source of the rules for days that jump: Debian's cron, as cronsim follows it. A fixed time inside
the gap fires right after it, inside the repeated hour once; `*/30` fires in both.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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
        try:
            CronSim(self.expression, EPOCH)
        except CronSimError as error:
            raise BadInput(
                f"{self.expression!r} is no crontab expression: {error}.",
                code="bad_cron",
                field="cron",
                hint='Five fields: minute hour day month weekday, e.g. "0 2 * * *".',
            ) from None
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
    if name not in available_timezones():
        hint = "Use an IANA name such as Asia/Riyadh."
        raise BadInput(f"Unknown time zone {name!r}.", field="timezone", hint=hint)
    return name


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
