"""Databases for tests: migrated once into a template, then copied, which costs milliseconds."""

import logging
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

import flask_migrate
import pytest
from flask import Flask

from config import ROOT, Settings
from k9ops.app import create_app
from k9ops.core.db import db
from tests.support.people import add_people
from tests.support.postgres import PostgresServer

KINDS = ("sqlite", "postgresql")
#: For tests of what is refused before any database is asked.
on_one_kind = pytest.mark.parametrize("database_kind", KINDS[:1])


def make_settings(folder: Path, **values: object) -> Settings:
    """Settings that read neither the environment nor `.env`."""
    fixed = {"instance_path": folder, "secret_key": "only for tests", "app_env": "testing"}
    return Settings(_env_file=None, **{**fixed, **values})


def dispose(app: Flask) -> None:
    """Close every connection of an application that is no longer needed."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def migrate(app: Flask, revision: str = "head") -> None:
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with app.app_context():
        flask_migrate.upgrade(directory=str(ROOT / "migrations"), revision=revision)


class Databases:
    """Hands out databases of either kind: bare, with tables, or with tables and people."""

    def __init__(self, folder: Path, postgres: Callable[[], PostgresServer]) -> None:
        self._folder = folder
        self._postgres = postgres
        self._templates: dict[tuple[str, bool], str] = {}

    def bare(self, kind: str, name: str = "") -> str:
        """The address of a new database without any table."""
        name = name or f"db_{uuid.uuid4().hex[:12]}"
        if kind == "sqlite":
            return f"sqlite:///{self._folder / name}.db"
        return self._postgres().create(name)

    def new(self, kind: str, *, people: bool = True) -> str:
        """The address of a new database with tables, and with the tests' people or nobody."""
        template = self._template(kind, people=people)
        name = f"db_{uuid.uuid4().hex[:12]}"
        if kind == "sqlite":
            shutil.copyfile(self._folder / f"{template}.db", self._folder / f"{name}.db")
            return f"sqlite:///{self._folder / name}.db"
        return self._postgres().create(name, template)

    def drop(self, url: str) -> None:
        name = url.rpartition("/")[2]
        if url.startswith("sqlite"):
            for path in self._folder.glob(f"{name}*"):
                path.unlink()
        else:
            self._postgres().drop(name)

    def _template(self, kind: str, *, people: bool) -> str:
        if (kind, people) not in self._templates:
            name = f"template_{kind}_{'people' if people else 'tables'}"
            app = create_app(make_settings(self._folder, database_url=self.bare(kind, name)))
            migrate(app)
            if people:
                add_people(app)
            dispose(app)
            self._templates[kind, people] = name
        return self._templates[kind, people]
