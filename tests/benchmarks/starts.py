"""How a benchmark learns when a job started; without the product, since bare Celery uses it too."""

import os
import time
from functools import cache

from redis import Redis

#: The list to which a started job tells when it started, in the Redis at $BENCH_REDIS_URL.
STARTS = "bench:starts"


@cache
def _redis() -> Redis:
    return Redis.from_url(os.environ["BENCH_REDIS_URL"])


def tell_start() -> None:
    """Tell the time at which this is called; the telling itself costs the figure nothing."""
    _redis().rpush(STARTS, time.time())
