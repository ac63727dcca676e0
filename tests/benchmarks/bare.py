"""Bare Celery, the measure: its defaults, apart from the addresses and ignored results."""

import os

from celery import Celery

from tests.benchmarks.starts import tell_start

celery = Celery(
    "bare",
    broker=os.environ.get("BENCH_BROKER_URL"),
    backend=os.environ.get("BENCH_RESULT_BACKEND"),
    set_as_current=False,
)


@celery.task(ignore_result=True)
def noop():
    """Do nothing."""


@celery.task(ignore_result=True)
def start():
    tell_start()


@celery.task
def plain():
    """As most people write a task: its result is kept wherever there is a backend."""
