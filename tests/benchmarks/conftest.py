"""Benchmarks run on PostgreSQL and print one line for each figure."""

import gc
import os

import pytest

#: A smaller one makes a benchmark quick to try: `BENCH_SCALE=0.01 make bench`.
SCALE = float(os.environ.get("BENCH_SCALE", "1"))


@pytest.fixture(scope="session", autouse=True)
def garbage_as_the_product() -> None:
    """The other tests look for garbage less often than the product does."""
    gc.set_threshold(700, 10, 10)


@pytest.fixture
def database_kind():
    return "postgresql"


@pytest.fixture
def say_line(capsys):
    """Print a line past pytest's capture."""

    def say(text):
        with capsys.disabled():
            print(f"\n{text}", end="", flush=True)

    return say


@pytest.fixture
def figure(say_line):
    """Print a figure beside its target."""

    def show(name, value, unit, most=None, least=None):
        verdict = ""
        if most is not None:
            verdict = f"   target ≤ {most:.4g}: {'met' if value <= most else 'MISSED'}"
        if least is not None:
            verdict = f"   target ≥ {least:.4g}: {'met' if value >= least else 'MISSED'}"
        say_line(f"  {name:<58} {value:10.2f} {unit}{verdict}")

    return show
