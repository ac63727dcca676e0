"""What the ledger costs: recording, claiming, executing and finishing a run that does nothing."""

import statistics
import time

from k9ops.core.db import db
from k9ops.jobs import dispatch
from k9ops.jobs.claims import claim
from k9ops.jobs.runner import perform
from k9ops.jobs.states import Path
from tests.benchmarks.conftest import SCALE

RUNS = max(20, int(1000 * SCALE))


def timed(work):
    began = time.perf_counter()
    answer = work()
    return answer, (time.perf_counter() - began) * 1000


def claim_one(run_id):
    with db.engine.begin() as connection:
        return claim(connection, run_id, Path.IN_PROCESS, "cli:bench:1")


def test_cost_of_a_run(make_app, figure):
    costs = {"dispatch": [], "claim": [], "execute and finish": []}
    with make_app(jobs_extra_modules=("tests.support.jobs",)).app_context():
        for _ in range(RUNS):
            run, cost = timed(lambda: dispatch("test.sleep"))
            costs["dispatch"].append(cost)
            won, cost = timed(lambda run=run: claim_one(run.id))
            costs["claim"].append(cost)
            _, cost = timed(lambda won=won: perform(won))
            costs["execute and finish"].append(cost)
    for name, values in costs.items():
        figure(f"{name}, median of {RUNS}", statistics.median(values), "ms")
        figure(f"{name}, 95% are below", statistics.quantiles(values, n=20)[-1], "ms")
