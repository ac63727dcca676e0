"""Which backups are kept."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from k9ops.backups.retention import Rules, kept

RIYADH = ZoneInfo("Asia/Riyadh")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)  # a Friday
ONLY_LAST = Rules(last=1, daily=0, weekly=0, monthly=0)


def daily(count: int) -> dict[str, datetime]:
    return {f"day-{number}": NOON - timedelta(days=number) for number in range(count)}


def test_kept_holds_the_newest_so_many_when_only_last_counts():
    assert kept(daily(5), Rules(3, 0, 0, 0), RIYADH) == {
        "day-0": ["last"],
        "day-1": ["last"],
        "day-2": ["last"],
    }


def test_kept_holds_the_last_of_a_day_when_there_are_several():
    made = {"early": NOON - timedelta(days=1, hours=3), "late": NOON - timedelta(days=1)}
    assert set(kept({**made, "now": NOON}, Rules(1, 2, 0, 0), RIYADH)) == {"now", "late"}


def test_kept_counts_each_kind_of_database_apart():
    made = {"k9ops-1.sqlite.zst": NOON - timedelta(days=9), "k9ops-2.pgdump.zst": NOON}
    assert set(kept(made, ONLY_LAST, RIYADH)) == set(made)


def test_kept_counts_days_on_the_units_clock_when_utc_has_another_date():
    before = datetime(2026, 11, 19, 20, 30, tzinfo=UTC)  # 23:30 on the 19th in Riyadh
    after = datetime(2026, 11, 19, 21, 30, tzinfo=UTC)  # 00:30 on the 20th
    made = {"before": before, "after": after}
    assert set(kept(made, Rules(1, 2, 0, 0), RIYADH)) == {"before", "after"}
    assert set(kept(made, Rules(1, 2, 0, 0), ZoneInfo("UTC"))) == {"after"}


def test_kept_begins_weeks_on_sunday_when_saturday_has_a_backup():
    saturday = datetime(2026, 11, 14, 12, tzinfo=UTC)
    sunday = saturday + timedelta(days=1)
    made = {"saturday": saturday, "sunday": sunday, "monday": sunday + timedelta(days=1)}
    assert kept(made, Rules(1, 0, 2, 0), RIYADH) == {
        "monday": ["last", "weekly"],
        "saturday": ["weekly"],
    }


def test_kept_holds_the_last_of_each_month_when_months_lack_some():
    made = daily(100)
    del made["day-20"]  # the last day of October
    assert "day-21" in kept(made, Rules(1, 0, 0, 3), RIYADH)


def test_kept_names_every_rule_when_one_backup_serves_several():
    assert kept({"one": NOON}, Rules(1, 7, 4, 12), RIYADH) == {
        "one": ["last", "daily", "weekly", "monthly"]
    }


moments = st.integers(0, 100_000).map(lambda hours: NOON - timedelta(hours=hours))
counts = st.integers(0, 6)


@given(
    st.dictionaries(st.text(max_size=3), moments, min_size=1),
    st.builds(Rules, st.integers(1, 5), counts, counts, counts),
)
def test_kept_never_loses_what_matters_when_given_any_backups(made, rules):
    found = kept(made, rules, RIYADH)
    newest = max(made.values())
    assert any(made[name] == newest for name in found)
    assert set(found) <= set(made)
    assert len(found) >= min(rules.last, len(made))
    assert len(found) <= rules.last + rules.daily + rules.weekly + rules.monthly
    # Keeping again what was kept removes nothing more.
    assert set(kept({name: made[name] for name in found}, rules, RIYADH)) == set(found)


def test_kept_holds_one_when_nothing_else_is_wanted():
    assert set(kept(daily(400), ONLY_LAST, RIYADH)) == {"day-0"}
