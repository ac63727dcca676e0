"""Hang schedules into the application."""

from flask import Flask

from k9ops.schedules import models  # noqa: F401  (its tables are known to the migrations)


def init_schedules(app: Flask) -> None:
    """Nothing yet but the tables."""
