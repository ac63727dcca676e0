"""Hang people into the application."""

from flask import Flask

from k9ops.people import models  # noqa: F401  (its tables are known to the migrations)


def init_people(app: Flask) -> None:
    """Nothing yet but the tables."""
