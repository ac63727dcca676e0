"""Who ticks is free: Beat, APScheduler, several of each; every occurrence has one run."""

import time
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from urllib.parse import urlsplit

import pytest

from tests.faults.conftest import (
    Ledger,
    as_instant,
    check_occurrences,
    on_postgresql,
    quick_on_postgresql,
    quick_on_sqlite,
    start_both,
    stop_ticking,
    with_quick,
)
from tests.support.processes import Instance, wait_until
from tests.support.proxy import Proxy

#: Who ticks: the setting of the web processes, how many of them, and how many Beats.
TICKERS = {
    "beat": ("beat", 1, 1),
    "apscheduler": ("web", 1, 0),
    "both": ("web", 1, 1),
    "two beats and three web workers": ("web", 3, 2),
}


@quick_on_sqlite
@with_quick("who", TICKERS, "both")
@pytest.mark.parametrize("seconds", [6, pytest.param(202, marks=pytest.mark.slow)])
@pytest.mark.timeout(400)
def test_each_occurrence_has_one_run(celery_unit: Instance, ledger: Ledger, who: str, seconds: int):
    scheduler, web_workers, beats = TICKERS[who]
    celery_unit.settings["jobs_scheduler"] = scheduler
    celery_unit.worker(concurrency=2)  # there before the first tick
    celery_unit.start(workers=web_workers)
    for _ in range(beats):
        celery_unit.beat(jobs_scheduler="beat")
    wait_until(lambda: ledger.runs("tick.each"), 20)
    time.sleep(seconds)
    stop_ticking(celery_unit, ledger)
    check_occurrences(ledger, "tick.each", at_least=seconds - 2)
    assert {(run["path"], run["reason"]) for run in ledger.runs("tick.each")} == {("celery", None)}


@quick_on_postgresql
@with_quick("who", ["beat", "apscheduler"], "beat")
def test_changed_trigger_is_followed_while_it_runs(celery_unit: Instance, ledger: Ledger, who: str):
    sync = 2
    celery_unit.settings["celery_beat_db_scheduler_sync_every_seconds"] = sync
    scheduler, _, beats = TICKERS[who]
    celery_unit.settings["jobs_scheduler"] = scheduler
    start_both(celery_unit)
    for _ in range(beats):
        celery_unit.beat()
    wait_until(lambda: ledger.runs("tick.each"), 20)
    assert not ledger.runs("tick.gap_latest")
    changed = celery_unit.flask("jobs", "schedule", "tick.gap_latest", "--every", "1")
    assert changed.returncode == 0, changed.stderr
    changed_at = time.monotonic()
    wait_until(lambda: len(ledger.runs("tick.gap_latest")) >= 3, 10 + sync)
    assert time.monotonic() - changed_at < sync + 5
    dues = [as_instant(run["due_at"]) for run in ledger.runs("tick.gap_latest")]
    assert {later - earlier for earlier, later in pairwise(dues)} == {timedelta(seconds=1)}


@pytest.mark.slow
@pytest.mark.parametrize("who", ["beat", "apscheduler"])
@pytest.mark.timeout(200)
def test_changed_crontab_is_followed_while_it_runs(celery_unit: Instance, ledger: Ledger, who: str):
    celery_unit.settings["celery_beat_db_scheduler_sync_every_seconds"] = 2
    scheduler, _, beats = TICKERS[who]
    celery_unit.settings["jobs_scheduler"] = scheduler
    celery_unit.start()
    for _ in range(beats):
        celery_unit.beat()
    wait_until(lambda: ledger.runs("tick.each"), 20)
    changed = celery_unit.flask("jobs", "schedule", "tick.gap_latest", "--cron", "* * * * *")
    assert changed.returncode == 0, changed.stderr
    (run,) = wait_until(lambda: ledger.runs("tick.gap_latest"), 65)
    assert as_instant(run["due_at"]).second == 0
    late = as_instant(run["queued_at"]) - as_instant(run["due_at"])
    assert late < timedelta(seconds=3)


@pytest.mark.slow
def test_beat_ends_cleanly(celery_unit: Instance, ledger: Ledger):
    celery_unit.settings["jobs_scheduler"] = "beat"
    celery_unit.start()
    beat = celery_unit.beat()
    wait_until(lambda: ledger.runs("tick.each"), 20)
    beat.stop()
    task = ledger.rows("SELECT * FROM periodic_tasks WHERE name = 'tick.each'")[0]
    assert task["total_runs"] >= len(ledger.runs("tick.each"))


@on_postgresql
@pytest.mark.parametrize("away_seconds", [4, pytest.param(30, marks=pytest.mark.slow)])
def test_beat_outlives_the_loss_of_its_database(
    celery_unit: Instance,
    ledger: Ledger,
    database_url: str,
    make_proxy: Callable[[int], Proxy],
    away_seconds: int,
):
    """Its connections are cut and new ones refused; nobody else ticks."""
    port = urlsplit(database_url).port
    proxy = make_proxy(port)
    celery_unit.settings["jobs_scheduler"] = "beat"
    start_both(celery_unit, concurrency=2)
    beat = celery_unit.beat(database_url=database_url.replace(f":{port}/", f":{proxy.port}/"))
    wait_until(lambda: len(ledger.runs("tick.each")) >= 2, 20)
    proxy.refuse()
    before = len(ledger.runs("tick.each"))
    time.sleep(away_seconds)
    assert len(ledger.runs("tick.each")) == before
    proxy.mend()
    wait_until(lambda: len(ledger.runs("tick.each")) > before, 5)
    time.sleep(2)
    stop_ticking(celery_unit, ledger)
    check_occurrences(ledger, "tick.each", at_least=before + away_seconds)
    assert {(run["path"], run["reason"]) for run in ledger.runs("tick.each")} == {("celery", None)}
    beat.stop()
