"""Hang projects into the application."""

from flask import Flask

from k9ops.projects import models  # noqa: F401  (its tables are known to the migrations)


def init_projects(app: Flask) -> None:
    """Nothing yet but the tables."""
