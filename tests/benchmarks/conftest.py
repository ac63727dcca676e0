"""Benchmarks run on PostgreSQL and print one line for each figure."""

import os

import pytest

#: A smaller one makes a benchmark quick to try: `BENCH_SCALE=0.01 make bench`.
SCALE = float(os.environ.get("BENCH_SCALE", "1"))


@pytest.fixture
def database_kind():
    return "postgresql"


@pytest.fixture
def figure(capsys):
    """Print a figure beside its target, past pytest's capture."""

    def show(name, value, unit, most=None):
        verdict = (
            "" if most is None else f"   target ≤ {most:g}: {'met' if value <= most else 'MISSED'}"
        )
        with capsys.disabled():
            print(f"\n  {name:<58} {value:10.2f} {unit}{verdict}", end="")

    return show
