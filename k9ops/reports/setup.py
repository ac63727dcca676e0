"""Hang reports into the application."""

from flask import Flask

from k9ops.reports import models  # noqa: F401  (its tables are known to the migrations)


def init_reports(app: Flask) -> None:
    """Nothing yet but the tables."""
