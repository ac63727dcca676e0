"""The settings: read once by an entry point, checked, and handed down as one object.

Order of precedence: environment, then `.env` in the project's root, then the default written here.
An empty value counts as absent. `docs/settings.md` lists every setting with its meaning.
"""

import os
import secrets
import sys
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

ROOT = Path(__file__).resolve().parent


class ConfigError(Exception):
    """A setting is wrong; `field` names it."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"unknown time zone {name!r}; use an IANA name such as Asia/Riyadh")
    return name


#: Each process would have a database of its own.
_IN_MEMORY = ("sqlite:///", "sqlite:///:memory:")


def _readable(url: str) -> str:
    try:
        make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError("must read like postgresql://user:password@host:5432/name") from None
    return url


Zone = Annotated[str, AfterValidator(_known_zone)]
Seconds = Annotated[float, Field(gt=0)]
Hour = Annotated[int, Field(ge=0, le=23)]
Keep = Annotated[int, Field(ge=0, le=1000)]


class Settings(BaseSettings):
    """Every option of the product; the field's name in capitals is the variable's name."""

    model_config = SettingsConfigDict(
        env_file=ROOT / ".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore"
    )

    #: `production`, or `testing`, which alone allows TEST_CLOCK_OFFSET_SECONDS.
    app_env: Literal["production", "testing"] = "production"
    #: Folder of everything this copy owns: SQLite file, secret key, backups, journals.
    instance_path: Path = Path("instance")
    #: Database address; by default SQLite in the instance folder.
    database_url: str = ""
    #: Signs sessions; made and kept in the instance folder if absent.
    secret_key: str = ""
    #: The unit's name as pages show it.
    unit_name: str = "K9 Ops"
    #: Clock of the unit: due times of jobs and times on pages.
    unit_timezone: Zone = "Asia/Riyadh"
    #: True behind HTTPS: session cookies are then sent over HTTPS only.
    session_cookie_secure: bool = False

    #: First administrator without a prompt; the password is made up and printed if absent.
    admin_username: str = "admin"
    admin_password: str = ""

    #: Who ticks: the web processes, `flask scheduler`, Celery Beat, or nobody.
    jobs_scheduler: Literal["web", "standalone", "beat", "off"] = "web"
    #: A heartbeat that stands still for so long means that the attempt is lost.
    jobs_lease_seconds: Seconds = 30
    #: Runs executed at once by one process of the application.
    jobs_executor_threads: Annotated[int, Field(ge=1, le=32)] = 2
    #: How long a stopping process lets its runs go on before it gives them back.
    jobs_drain_seconds: Annotated[float, Field(ge=0)] = 20
    #: Pause between two looks at what is due.
    jobs_tick_seconds: Annotated[float, Field(ge=0.05, le=60)] = 1
    #: An occurrence found later than this after its due time is a gap (misfire policy).
    jobs_late_seconds: Annotated[float, Field(ge=0)] = 10
    #: Import paths of a unit's own job modules, separated by commas; loaded last.
    jobs_extra_modules: Annotated[tuple[str, ...], NoDecode] = ()
    #: Added to the database's clock; for tests only.
    test_clock_offset_seconds: float = 0

    #: Where backups are written.
    backup_dir: Path | None = None
    #: How often a backup is made by itself.
    backup_frequency: Literal["daily", "weekly", "monthly", "off"] = "daily"
    #: Hour of the automatic backup on the unit's clock.
    backup_hour: Hour = 2
    #: The newest so many backups are always kept.
    backup_keep_last: Annotated[int, Field(ge=1, le=1000)] = 3
    #: The last backup of each of so many days, weeks (from Sunday) and months.
    backup_keep_daily: Keep = 7
    backup_keep_weekly: Keep = 4
    backup_keep_monthly: Keep = 12

    @field_validator("jobs_extra_modules", mode="before")
    @classmethod
    def _split_modules(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        for scheme in ("postgresql+psycopg2://", "postgresql://", "postgres://"):
            if url.startswith(scheme):
                return _readable("postgresql+psycopg2://" + url.removeprefix(scheme))
        if url and (not url.startswith("sqlite:///") or url in _IN_MEMORY):
            raise ValueError(
                "must start with postgresql:// or sqlite:/// (three slashes and a path)"
            )
        return url

    @model_validator(mode="after")
    def _fill_in(self) -> Self:
        if self.test_clock_offset_seconds and self.app_env != "testing":
            raise ValueError("test_clock_offset_seconds: only with APP_ENV=testing")
        self.instance_path = self._absolute(self.instance_path)
        self.backup_dir = self._absolute(self.backup_dir or self.instance_path / "backups")
        if not self.database_url:
            self.database_url = f"sqlite:///{self.instance_path / 'k9ops.db'}"
        return self

    @staticmethod
    def _absolute(path: Path) -> Path:
        return path if path.is_absolute() else ROOT / path

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.unit_timezone)

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")


def load_settings() -> Settings:
    """Read, check and complete the settings; makes the instance folder and the secret key.

    Raises:
        ConfigError: a value is wrong; the message names the variable and what it takes.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        raise _config_error(error) from None
    _make_instance(settings)
    return settings


def load_settings_or_exit() -> Settings:
    """For entry points: a wrong setting ends the process with one line and exit code 2."""
    try:
        return load_settings()
    except ConfigError as error:
        if "--json" in sys.argv:
            import json

            document = {"code": "bad_setting", "message": str(error), "field": error.field}
            print(json.dumps({"error": document | {"hint": "See docs/settings.md."}}))
        else:
            print(f"{error}", file=sys.stderr)
        raise SystemExit(2) from None


def _config_error(error: ValidationError) -> ConfigError:
    first = error.errors()[0]
    name = str(first["loc"][0]).upper() if first["loc"] else ""
    text = str(first["msg"]).removeprefix("Value error, ")
    if not name:
        name, _, text = text.partition(": ")
        name = name.upper()
    given = "" if _is_secret(name) else _given(first.get("input"))
    return ConfigError(f"{name}: {text[0].lower()}{text[1:]}{given}", field=name)


def _given(value: object) -> str:
    return f" (given: {value!r})" if isinstance(value, str | int | float) else ""


def _is_secret(name: str) -> bool:
    return any(word in name for word in ("PASSWORD", "SECRET", "URL"))


def _make_instance(settings: Settings) -> None:
    # What is written is the unit's: no other user of the machine may read the database.
    os.umask(0o077)
    try:
        settings.instance_path.mkdir(parents=True, exist_ok=True)
        if not settings.secret_key:
            settings.secret_key = _kept_secret(settings.instance_path / "secret_key")
    except OSError as error:
        text = f"INSTANCE_PATH: cannot write to {settings.instance_path}: {error.strerror}"
        raise ConfigError(text, field="INSTANCE_PATH") from None


def _kept_secret(path: Path) -> str:
    """The secret in `path`, written first if absent; of several starting at once one wins."""
    if not path.exists():
        beside = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        try:
            os.link(beside, path)
        except FileExistsError:
            pass
        finally:
            beside.unlink()
    return path.read_text().strip()
