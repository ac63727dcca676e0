"""The settings: read once by an entry point, checked, and handed down as one object.

Order of precedence: environment, then `.env` in the project's root, then the default written here.
An empty value counts as absent. `docs/settings.md` lists every setting with its meaning.
"""

import os
import re
import secrets
import sys
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import quote, urlsplit, urlunsplit
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


@cache
def _zones() -> set[str]:
    """Read once: it opens each file of the system's zones."""
    return available_timezones()


def _known_zone(name: str) -> str:
    if name not in _zones():
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


def _redis_address(url: str) -> str:
    if not url:
        return url
    try:
        parts = urlsplit(url)
        is_known = bool(parts.hostname) and parts.scheme in ("redis", "rediss")
        is_known = is_known and parts.port != 0 and bool(re.fullmatch(r"/?\d*", parts.path))
    except ValueError:
        is_known = False
    if not is_known:
        raise ValueError(
            "must read like redis://:password@host:6379/1, or rediss:// for TLS; "
            "write @ in a password as %40, / as %2F, : as %3A, # as %23"
        )
    return url


def _public_address(url: str) -> str:
    if not url:
        return url
    try:
        parts = urlsplit(url)
        known = bool(parts.hostname) and parts.scheme in ("http", "https") and parts.port != 0
    except ValueError:
        known = False
    if not known or parts.query or parts.fragment or parts.username:
        raise ValueError("must read like https://k9.unit.example")
    return url.rstrip("/")


Zone = Annotated[str, AfterValidator(_known_zone)]
RedisUrl = Annotated[str, AfterValidator(_redis_address)]
PublicUrl = Annotated[str, AfterValidator(_public_address)]
RedisDb = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
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
    #: The same on English pages and documents; by default the name above.
    unit_name_en: str = ""
    #: Picture (PNG, JPEG or SVG) for the head of documents.
    unit_logo: Path | None = None
    #: Clock of the unit: due times of jobs and times on pages.
    unit_timezone: Zone = "Asia/Riyadh"
    #: True behind HTTPS: session cookies are then sent over HTTPS only.
    session_cookie_secure: bool = False
    #: Web servers before this one that each add an address to X-Forwarded-For.
    trusted_proxies: int = Field(default=0, ge=0, le=9)

    #: First administrator without a prompt; the password is made up and printed if absent.
    admin_username: str = "admin"
    admin_password: str = ""

    #: Whether Celery is tried first; `auto`: when a broker is given.
    use_celery: Literal["auto", "true", "false"] = "auto"
    #: Redis address of the broker; by default Redis below with its broker database.
    celery_broker_url: RedisUrl = ""
    #: Redis address for results; by default Redis below with its result database, else none.
    celery_result_backend: RedisUrl = ""
    #: One Redis for all; its own database number is replaced by those below.
    redis_url: RedisUrl = ""
    #: The same by parts.
    redis_host: str = ""
    redis_port: Annotated[int, Field(ge=1, le=65535)] = 6379
    redis_password: str = ""
    redis_cache_db: RedisDb = 0
    redis_celery_broker_db: RedisDb = 1
    redis_celery_result_db: RedisDb = 2
    #: Queue of jobs that name none.
    celery_task_default_queue: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")] = "k9_tasks"
    #: Clock of Celery's own log and events.
    celery_timezone: Zone = "Asia/Riyadh"
    #: `off`: what Celery cannot take waits for it.
    celery_fallback: Literal["on", "off"] = "on"
    #: Celery calls are executed at once by the caller; for tests only.
    celery_task_always_eager: bool = False
    #: Celery Beat reads the rows at least so often.
    celery_beat_db_scheduler_sync_every_seconds: Seconds = 60
    #: Celery Beat never sleeps longer.
    celery_beat_db_scheduler_max_interval_seconds: Seconds = 300
    #: A run sent to Celery that nobody took for so long is sent again, or runs here.
    jobs_pickup_grace_seconds: Seconds = 30
    #: A run sent to Celery that nobody took for so long runs here, though workers live.
    jobs_pickup_limit_seconds: Seconds = 600
    #: So many failures of the broker in a row open the breaker.
    jobs_breaker_failures: Annotated[int, Field(ge=1)] = 3
    #: So long the broker is not asked while the breaker is open.
    jobs_breaker_seconds: Seconds = 15

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
    #: Key file of a Google service account; backups are then uploaded too.
    google_drive_credentials_file: Path | None = None
    #: Folder in a shared drive that the service account may write to.
    google_drive_folder_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]*$")] = ""
    #: Another address of the Drive API, such as a local server's.
    google_drive_api_root: str = "https://www.googleapis.com"

    #: Mail server; without one no mail is sent, and no page offers what needs it.
    mail_server: str = ""
    mail_port: Annotated[int, Field(ge=1, le=65535)] = 587
    #: Sign-in at the mail server; none without a name.
    mail_username: str = ""
    mail_password: str = ""
    #: STARTTLS; the server's certificate is checked.
    mail_use_tls: bool = True
    #: TLS from the first byte, mostly on port 465; then not STARTTLS.
    mail_use_ssl: bool = False
    #: Address that mails come from.
    mail_default_sender: str = ""
    #: Where people's browsers reach the product; links in mails begin so.
    public_url: PublicUrl = ""

    #: Where documents and other files of the unit are kept.
    data_dir: Path | None = None
    #: Read notifications are deleted so many days after they were read.
    notification_retention_days: Annotated[int, Field(ge=1, le=3650)] = 30
    #: When days of duty that are over are locked, on the unit's clock.
    schedule_auto_lock_hour: Hour = 6
    schedule_auto_lock_minute: Annotated[int, Field(ge=0, le=59)] = 30

    @field_validator("jobs_extra_modules", mode="before")
    @classmethod
    def _split_modules(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("use_celery", "celery_fallback", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

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

    @field_validator("mail_default_sender")
    @classmethod
    def _one_address(cls, address: str) -> str:
        if address and not re.fullmatch(r"[^@\s<>,]+@[^@\s<>,]+", address):
            raise ValueError("must be one address, such as k9@unit.example")
        return address

    @model_validator(mode="after")
    def _fill_in(self) -> Self:
        if self.test_clock_offset_seconds and self.app_env != "testing":
            raise ValueError("test_clock_offset_seconds: only with APP_ENV=testing")
        self._fill_in_redis()
        if self.mail_server and not (self.mail_default_sender and self.public_url):
            raise ValueError("mail_server: needs MAIL_DEFAULT_SENDER and PUBLIC_URL")
        self.instance_path = self._absolute(self.instance_path)
        self.backup_dir = self._absolute(self.backup_dir or self.instance_path / "backups")
        self.data_dir = self._absolute(self.data_dir or self.instance_path / "data")
        if self.unit_logo is not None:
            self.unit_logo = self._absolute(self.unit_logo)
        if self.google_drive_credentials_file is not None:
            self.google_drive_credentials_file = self._absolute(self.google_drive_credentials_file)
        if not self.database_url:
            self.database_url = f"sqlite:///{self.instance_path / 'k9ops.db'}"
        return self

    def _fill_in_redis(self) -> None:
        self.celery_broker_url = self.celery_broker_url or self._redis(self.redis_celery_broker_db)
        self.celery_result_backend = self.celery_result_backend or self._redis(
            self.redis_celery_result_db
        )
        if self.use_celery == "true" and not self.celery_broker_url:
            raise ValueError("use_celery: needs CELERY_BROKER_URL, REDIS_URL or REDIS_HOST")

    def _redis(self, database: int) -> str:
        """Address of that database of the one Redis; empty without one."""
        if self.redis_url:
            return urlunsplit(urlsplit(self.redis_url)._replace(path=f"/{database}"))
        if not self.redis_host:
            return ""
        host = f"[{self.redis_host}]" if ":" in self.redis_host else self.redis_host
        sign_in = f":{quote(self.redis_password, safe='')}@" if self.redis_password else ""
        return f"redis://{sign_in}{host}:{self.redis_port}/{database}"

    @staticmethod
    def _absolute(path: Path) -> Path:
        return path if path.is_absolute() else ROOT / path

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.unit_timezone)

    @property
    def celery_on(self) -> bool:
        """Whether a job tries Celery first."""
        return self.use_celery != "false" and bool(self.celery_broker_url)

    @property
    def drive_on(self) -> bool:
        """Whether backups are uploaded too."""
        return self.google_drive_credentials_file is not None

    @property
    def mail_on(self) -> bool:
        """Whether mails can be sent."""
        return bool(self.mail_server)

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
    return any(word in name for word in ("PASSWORD", "SECRET", "URL", "RESULT_BACKEND"))


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
