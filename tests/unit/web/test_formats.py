"""How figures and times are written in both languages."""

from datetime import UTC, datetime, timedelta

import pytest

from k9ops.core.clock import utcnow
from k9ops.web import formats


@pytest.mark.parametrize(
    ("seconds", "english", "arabic"),
    [
        (0.3, "0.3 s", "0.3 ث"),
        (54.7, "54.7 s", "54.7 ث"),
        (59.97, "1 min 00 s", "1 د 00 ث"),
        (127, "2 min 07 s", "2 د 07 ث"),
        (3 * 3600 + 300, "3 h 05 min", "3 س 05 د"),
        (98 * 3600, "4 d 2 h", "4 ي 2 س"),
        (-1, "0.0 s", "0.0 ث"),
    ],
)
def test_duration_names_its_units_when_in_either_language(reading, seconds, english, arabic):
    with reading("en"):
        assert formats.duration(seconds) == english
    with reading("ar"):
        assert formats.duration(seconds) == arabic


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1_500, "1.5 kB"), (148_200_000, "148.2 MB"), (2.9e9, "2.9 GB")],
)
def test_size_takes_the_fitting_unit(reading, count, text):
    with reading("en"):
        assert formats.size(count) == text


@pytest.mark.parametrize(
    ("share", "digits", "text"), [(1, 0, "100%"), (0.9996, 0, "99.9%"), (0.98, 1, "98.0%")]
)
def test_percent_says_100_only_when_it_is_whole(share, digits, text):
    assert formats.percent(share, digits) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (300, "5 minutes"),
        (3600, "1 hour"),
        (90, "1 min 30 s"),
        (5400, "1 h 30 min"),
        (7, "7 seconds"),
    ],
)
def test_span_stays_exact_when_the_interval_is_not_round(reading, seconds, text):
    with reading("en"):
        assert formats.span(seconds) == text


@pytest.mark.parametrize(
    ("minutes", "text"), [(1, "دقيقة"), (2, "دقيقتان"), (5, "5 دقائق"), (11, "11 دقيقة")]
)
def test_span_follows_arabic_plurals_when_read_in_arabic(reading, minutes, text):
    with reading("ar"):
        assert text in formats.span(minutes * 60)


def at_noon(days: int) -> datetime:
    here = formats.local(utcnow()).replace(hour=12, minute=0, second=5, microsecond=0)
    return (here + timedelta(days=days)).astimezone(UTC)


@pytest.mark.parametrize(("days", "word"), [(-1, "أمس"), (0, "اليوم"), (1, "غدًا")])
def test_when_says_near_days_in_words(reading, days, word):
    with reading("ar"):
        assert formats.plain(at_noon(days)) == f"{word} 12:00"


def test_when_carries_the_whole_instant_for_machines_and_in_its_title(reading):
    instant = datetime(2026, 11, 17, 7, 42, 3, tzinfo=UTC)
    with reading("en"):
        text = formats.when(instant, seconds=True)
    assert 'datetime="2026-11-17T10:42:03.000+03:00"' in text
    assert 'title="Tuesday 17 November 2026 10:42:03 Riyadh"' in text


def test_when_escapes_nothing_it_should_not_and_says_unknown_when_there_is_none(reading):
    with reading("ar"):
        assert formats.when(None) == "غير معروف"


def test_distance_tells_past_and_future_apart(reading):
    with reading("ar"):
        assert formats.distance(utcnow() - timedelta(hours=8, seconds=5)) == "قبل 8 ساعات"
        assert formats.distance(utcnow() + timedelta(minutes=3, seconds=5)) == "خلال 3 دقائق"
