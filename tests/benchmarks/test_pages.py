"""The Runs page over 100,000 runs, at the server, for one client."""

import statistics
import time
from datetime import timedelta

import pytest
from sqlalchemy import insert, text

from k9ops.core.clock import utcnow
from k9ops.core.db import db, new_id
from k9ops.jobs.models import JobRun
from k9ops.jobs.states import Path, Reason, State
from tests.benchmarks.conftest import SCALE

RUNS = int(100_000 * SCALE)
STATES = (State.SUCCEEDED,) * 17 + (State.FAILED, State.PARTIAL, State.CANCELLED)
TARGET_MS = 60


def run(number, now):
    at = now - timedelta(minutes=RUNS - number)
    return {
        "id": new_id(),
        "job": "backups.run_automated_backup" if number % 3 else "notifications.cleanup",
        "occurrence": f"key:{number}",
        "queue": "k9_tasks",
        "priority": 5,
        "state": STATES[number % len(STATES)],
        "path": Path.IN_PROCESS,
        "reason": Reason.CELERY_OFF,
        "queued_at": at,
        "available_at": at,
        "started_at": at,
        "finished_at": at + timedelta(seconds=3),
        "duration_ms": 3000,
    }


@pytest.fixture
def many_runs(context):
    now = utcnow()
    with db.engine.begin() as connection:
        for first in range(0, RUNS, 5000):
            rows = [run(number, now) for number in range(first, min(first + 5000, RUNS))]
            connection.execute(insert(JobRun), rows)
        connection.execute(text("ANALYZE"))


@pytest.mark.parametrize("query", ["", "?state=failed", "?job=backups.run_automated_backup"])
def test_runs_page(many_runs, client_of, amal, figure, query):
    client = client_of(amal)
    times = []
    for _ in range(30):
        began = time.perf_counter()
        answer = client.get(f"/runs{query}")
        times.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200
    figure(f"/runs{query} with {RUNS} runs, median", statistics.median(times), "ms", TARGET_MS)
