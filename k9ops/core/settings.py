"""The settings of the running application, for code that runs inside it.

What CHANGEABLE names is looked up, first that has it: the environment (or `.env`), the table
`settings`, the default. All else comes from the environment alone.
"""

import json
import logging
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Annotated, Any, cast

from flask import Flask, current_app
from pydantic import TypeAdapter
from sqlalchemy import Engine, String, Text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from k9ops.core.db import Base, db

if TYPE_CHECKING:
    from config import Settings

logger = logging.getLogger(__name__)

EXTENSION = "k9ops.settings"
_FOLLOWED = "k9ops.settings.followed"
#: The settings that pages can change.
CHANGEABLE = (
    "unit_name",
    "unit_name_en",
    "schedule_auto_lock_hour",
    "schedule_auto_lock_minute",
    "notification_retention_days",
    "backup_frequency",
    "backup_hour",
    "backup_keep_last",
    "backup_keep_daily",
    "backup_keep_weekly",
    "backup_keep_monthly",
    "google_drive_folder_id",
)
#: The row that tells this unit's data from another's; made by a migration, changed by nobody.
UNIT_ID = "unit_id"
#: Every process looks at the table again after so long.
_LOOK_SECONDS = 3.0
#: Nobody waits longer for a database that does not answer.
_PATIENCE_SECONDS = 1.0
_READ = "SELECT name, value FROM settings"
#: While a restore holds the tables, what was known goes on to count.
_READ_BOUNDED = f"SET LOCAL lock_timeout = '300ms'; {_READ}"


class Setting(Base):
    """A setting that a page gave its value; without a row the default counts."""

    __tablename__ = "settings"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    #: JSON.
    value: Mapped[str] = mapped_column(Text)


def current_settings() -> "Settings":
    """The settings as they are now, at most three seconds old; needs an application context."""
    return _followed().now()


def fixed_names() -> frozenset[str]:
    """The changeable settings that the environment gives: pages cannot change them."""
    return frozenset(CHANGEABLE) & _followed().base.model_fields_set


def look_again() -> "Settings":
    """The settings as the table has them at this moment."""
    return _followed().look()


def unit_id() -> str:
    """What tells this unit's data from another's."""
    return str(json.loads(_rows(db.engine)[UNIT_ID]))


def valid(settings: "Settings", name: str, value: object) -> Any:
    """The value as that setting takes it.

    Raises:
        ValueError: it does not.
    """
    return _adapter(type(settings), name).validate_python(value)


def rules_of(settings: "Settings", name: str) -> dict[str, Any]:
    """What that setting takes, in the words of JSON Schema: `minimum`, `maximum`, `enum` …."""
    return _adapter(type(settings), name).json_schema()


def default_of(settings: "Settings", name: str) -> Any:
    """What the setting is when nobody says anything."""
    return type(settings).model_fields[name].default


@lru_cache
def _adapter(kind: type["Settings"], name: str) -> TypeAdapter[Any]:
    field = kind.model_fields[name]
    rules: Any = Annotated[field.annotation, *field.metadata, name]
    return TypeAdapter(rules)


class _Followed:
    """The settings of an application, with what pages changed of them."""

    def __init__(self, base: "Settings") -> None:
        self.base = base
        self._now = base
        self._kept: Mapping[str, Any] = {}
        self._looked_at: float | None = None
        self._reader: Thread | None = None
        self._asking = Lock()
        self._reading = Lock()

    def now(self) -> "Settings":
        """What is known, after a short wait for a look where that is old.

        One thread looks; the others go on with what is known, if anything is. A database that
        does not answer holds up one of them in a while.
        """
        if not self._is_fresh() and self._asking.acquire(blocking=self._looked_at is None):
            try:
                if not self._is_fresh():
                    self._look_within(_PATIENCE_SECONDS, db.engine)
            finally:
                self._asking.release()
        return self._now

    def look(self) -> "Settings":
        self._read(db.engine)
        return self._now

    def _look_within(self, seconds: float, engine: Engine) -> None:
        if self._reader is None or not self._reader.is_alive():
            self._reader = Thread(target=self._read, args=(engine,), name="settings", daemon=True)
            self._reader.start()
        self._reader.join(seconds)
        self._looked_at = time.monotonic()

    def _is_fresh(self) -> bool:
        looked_at = self._looked_at
        return looked_at is not None and time.monotonic() - looked_at < _LOOK_SECONDS

    def _read(self, engine: Engine) -> None:
        """Take what the table has; the object stays the same when nothing changed."""
        with self._reading:
            try:
                kept = self._usable(_rows(engine))
            except SQLAlchemyError as error:  # no table yet, or the database is away
                logger.debug("the settings stay as they are known: %s", error)
            else:
                if kept != self._kept:
                    self._kept, self._now = kept, self.base.model_copy(update=kept)
            self._looked_at = time.monotonic()

    def _usable(self, rows: Mapping[str, str]) -> dict[str, Any]:
        """The values that count; a wrong one, which no page writes, does not."""
        found: dict[str, Any] = {}
        for name in CHANGEABLE:
            if name in rows and name not in self.base.model_fields_set:
                try:
                    found[name] = valid(self.base, name, json.loads(rows[name]))
                except ValueError:
                    logger.warning("the row %s of the table settings is not usable", name)
        return found


def _rows(engine: Engine) -> dict[str, str]:
    """Each row's text, read beside whatever the caller's session does."""
    is_sqlite = engine.dialect.name == "sqlite"
    if is_sqlite and not Path(engine.url.database or "").exists():
        return {}  # a look must not make the file
    statement = _READ if is_sqlite else _READ_BOUNDED
    with engine.connect() as connection:
        return {row.name: row.value for row in connection.exec_driver_sql(statement)}


def init_settings(app: Flask, settings: "Settings") -> None:
    """Give the application its settings; opens no connection."""
    app.extensions[EXTENSION] = settings
    app.extensions[_FOLLOWED] = _Followed(settings)


def _followed() -> _Followed:
    return cast("_Followed", current_app.extensions[_FOLLOWED])
