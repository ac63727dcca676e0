"""The verdict of the dual run at its limits, and its drawings."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from statistics import quantiles

import pytest

from k9ops.monitoring import dual_run, dual_run_charts, dual_run_words
from k9ops.monitoring.dual_run import Check, Figures, Group, Review, Spread, Verdict

FIRST = date(2026, 11, 1)
NOTHING = Spread(None, None)


def group(day=0, path="celery", reason=None, job="test.sleep"):
    return Group(FIRST + timedelta(days=day), job, path, reason)


def figures(runs, succeeded=None):
    return Figures(runs, runs if succeeded is None else succeeded, NOTHING, NOTHING)


def groups(*others, days=10, each=100):
    """So many runs that succeeded on Celery on each of the days, and what is named besides."""
    found = {group(day): figures(each) for day in range(days)}
    return found | dict(others)


def here(reason, runs, succeeded=None):
    return group(path="in_process", reason=reason), figures(runs, succeeded)


def judged(found):
    made = dual_run.checks(dual_run.trial(found))
    return str(dual_run.verdict(made)), [str(check) for check in dual_run.grounds(made)]


def review_of(found, days=30):
    return Review(
        days=[FIRST + timedelta(days=n) for n in range(days)],
        groups=found,
        by_path={},
        by_reason={(one.path, one.reason): figures for one, figures in found.items()},
        whole=figures(sum(one.runs for one in found.values())),
        made_at=datetime(2026, 11, 30, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("found", "code", "because"),
    [
        ({}, "too_few", ["days", "runs"]),
        (groups(days=6), "too_few", ["days"]),
        (groups(days=7, each=7), "too_few", ["runs"]),
        (groups(days=6, each=1), "too_few", ["days", "runs"]),
        (groups(here("celery_off", 5000), days=1), "too_few", ["days"]),
        (groups(here("no_worker", 5)), "switch_off", None),
        (groups(here("no_worker", 6)), "keep", ["share"]),
        (groups(here("not_picked_up", 1)), "keep", ["not_picked_up"]),
        (groups(here("worker_lost", 2)), "keep", ["worker_lost"]),
        (groups(here("requested", 900)), "switch_off", None),
        (groups(here("celery_off", 900)), "switch_off", None),
        (groups((group(), figures(100, 99)), here("requested", 9)), "keep", ["success"]),
        (groups((group(), figures(100, 99)), here("requested", 9, 8)), "switch_off", None),
    ],
)
def test_verdict_follows_its_limits(found, code, because):
    every = ["days", "runs", "share", "not_picked_up", "worker_lost", "success"]
    assert judged(found) == (code, every if because is None else because)


def test_nothing_is_said_of_celery_when_no_run_tried_it(reading):
    seen = dual_run.trial(dict([here("celery_off", 100)]))
    assert set(dual_run.checks(seen)) == {Check.DAYS, Check.RUNS}
    with reading("en"):
        judgement = dual_run_words.judge(seen)
    assert judgement.text == "No run has tried Celery in this time."
    assert judgement.speaks_for == []


def test_share_that_misses_the_limit_never_reads_as_if_it_met_it(reading):
    seen = dual_run.trial(groups(here("no_worker", 54), each=1000))
    with reading("en"):
        judgement = dual_run_words.judge(seen)
    assert judgement.because == [
        "99.4% of the runs that tried Celery ended on it; 99.5% is needed."
    ]
    assert judgement.code == Verdict.KEEP


def test_reasons_are_told_in_the_readers_language(reading):
    seen = dual_run.trial(groups(here("not_picked_up", 11)))
    with reading("ar"):
        assert "11 تشغيلًا أُرسلت ولم يلتقطها منفّذ." in dual_run_words.judge(seen).because
    with reading("en"):
        one = next(a for a in dual_run_words.judge(seen).speaks_against if "11 runs" in a.text)
    assert one.filters == {"path": "in_process", "reason": "not_picked_up"}


def test_percentiles_lie_between_neighbours_as_in_sql():
    values = [float(n * n) for n in range(1, 38)]
    spread = dual_run._spread([*reversed(values)])
    cuts = quantiles(values, n=20, method="inclusive")
    assert spread == pytest.approx((cuts[9], cuts[18]))
    assert dual_run._spread([5.0]) == (5.0, 5.0)
    assert dual_run._spread([]) == NOTHING


def test_jobs_that_fell_back_most_come_first_each_with_its_own_verdict():
    found = groups(here("no_worker", 6), here("requested", 40))
    found[group(job="test.rare")] = figures(3)
    lines = dual_run.by_job(found)
    assert [(line.name, line.fell_back, line.verdict) for line in lines] == [
        ("test.sleep", 6, "keep"),
        ("test.rare", 0, "too_few"),
    ]
    assert (lines[0].runs, lines[0].celery, lines[0].top_reason) == (1046, 1000, "requested")


@pytest.mark.parametrize(("language", "oldest_first"), [("en", True), ("ar", False)])
def test_days_begin_where_reading_begins(reading, language, oldest_first):
    with reading(language):
        chart = dual_run_charts.day_chart(review_of(groups()))
    places = [bar.x for bar in chart.bars]
    assert len(places) == 30
    assert (places == sorted(places)) is oldest_first
    assert all(0 <= bar.x <= 100 - bar.width for bar in chart.bars)


def test_day_shows_both_paths_however_small_one_is(reading):
    found = {group(): figures(9999), **dict([here("no_worker", 1)])}
    with reading("en"):
        first, empty = dual_run_charts.day_chart(review_of(found)).bars[:2]
    assert (first.runs, first.share) == (10_000, "99.9%")
    assert first.in_process_height >= dual_run_charts.LEAST
    assert (empty.runs, empty.celery_height, empty.in_process_height) == (0, 0, 0)


@pytest.mark.parametrize("days", [7, 30, 90])
def test_figures_over_bars_never_touch_and_the_largest_is_there(reading, days):
    found = {
        group(day, "in_process", "no_worker"): figures(day + 1) for day in range(days)
    }  # fmt: skip
    with reading("en"):
        chart = dual_run_charts.day_chart(review_of(found, days))
    for places, width in ((chart.labelled, 900), (chart.labelled_narrow, 280)):
        ordered = sorted(places)
        gaps = [after - before for before, after in pairwise(ordered)]
        assert all(gap * width / days >= dual_run_charts.LABEL for gap in gaps)
        assert days - 1 in places


def test_ticks_name_the_month_where_it_changes(reading):
    with reading("en"):
        chart = dual_run_charts.day_chart(review_of({}, 60))
    assert chart.ticks == ["1 Nov", "11", "21", "1 Dec", "11", "21"]


def test_reasons_are_drawn_by_their_number():
    found = dict([here("no_worker", 5), here("requested", 10)]) | {group(): figures(99)}
    bars = dual_run_charts.reason_bars(review_of(found))
    assert [(bar.reason, bar.width) for bar in bars] == [("requested", 100), ("no_worker", 50)]
