"""Jobs of the benchmarks, loaded through JOBS_EXTRA_MODULES=tests.benchmarks.jobs."""

import time

from k9ops.jobs import current_run, job
from tests.benchmarks.starts import tell_start


@job("bench.noop", title="Nothing")
def noop() -> None:
    """Do nothing."""


@job("bench.start", title="Start")
def start() -> None:
    tell_start()


@job("bench.burn", title="Burn", isolation="process")
def burn(seconds: float) -> None:
    """Keep one processor busy."""
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        current_run().check()
        sum(number * number for number in range(10_000))
