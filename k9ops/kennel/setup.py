"""Hang kennel into the application."""

from flask import Flask

from k9ops.kennel import models  # noqa: F401  (its tables are known to the migrations)


def init_kennel(app: Flask) -> None:
    """Nothing yet but the tables."""
