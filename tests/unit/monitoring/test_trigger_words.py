"""Triggers as sentences."""

import pytest

from k9ops.monitoring.trigger_words import trigger_sentence


@pytest.mark.parametrize(
    ("cron", "english", "arabic"),
    [
        ("* * * * *", "Every minute", "كل دقيقة"),
        ("*/2 * * * *", "Every 2 minutes", "كل دقيقتين"),
        ("0 * * * *", "Every hour", "كل ساعة"),
        ("5 * * * *", "Every hour at minute 5", "كل ساعة عند الدقيقة 5"),
        ("0 */3 * * *", "Every 3 hours, every day", "كل 3 ساعات، كل يوم"),
        ("0 2 * * *", "At 02:00, every day", "الساعة 02:00، كل يوم"),
        ("0 2,14 * * *", "At 02:00 and 14:00, every day", "الساعة 02:00 و14:00، كل يوم"),
        ("0 2 * * 0", "At 02:00, on Sunday", "الساعة 02:00، أيام الأحد"),
        ("0 2 * * 7", "At 02:00, on Sunday", "الساعة 02:00، أيام الأحد"),
        (
            "0 2 * * 0-4",
            "At 02:00, from Sunday to Thursday",
            "الساعة 02:00، من الأحد إلى الخميس",
        ),
        (
            "0 2 1,15 * *",
            "At 02:00, on the days 1 and 15 of the month",
            "الساعة 02:00، الأيام 1 و15 من الشهر",
        ),
        (
            "0 2 L * *",
            "At 02:00, on the last day of the month",
            "الساعة 02:00، آخر يوم من الشهر",
        ),
        (
            "0 2 * * 5#1",
            "At 02:00, on the first Friday of the month",
            "الساعة 02:00، يوم الجمعة الأول من الشهر",
        ),
        (
            "0 2 1 1 *",
            "At 02:00, on day 1 of the month, in January",
            "الساعة 02:00، يوم 1 من الشهر، في يناير",
        ),
        (
            "0 2 1 * 5",
            "At 02:00, on day 1 of the month and also on Friday",
            "الساعة 02:00، يوم 1 من الشهر وكذلك أيام الجمعة",
        ),
        (
            "5,20 8-10 * * *",
            "At 08:05, 08:20, 09:05, 09:20, 10:05, and 10:20, every day",
            "الساعة 08:05 و08:20 و09:05 و09:20 و10:05 و10:20، كل يوم",
        ),
    ],
)
def test_crontab_is_told_in_both_languages(reading, cron, english, arabic):
    with reading("en"):
        assert trigger_sentence(cron, None) == english
    with reading("ar"):
        assert trigger_sentence(cron, None) == arabic
