"""Settings: completed where absent, refused in one line where wrong."""

import json
import os
import sys

import pytest

from config import Settings, load_settings, load_settings_or_exit
from tests.support.processes import environment


@pytest.fixture
def start(tmp_path, monkeypatch, capsys):
    """What an entry point prints, and its exit code, when it starts with these settings."""

    def begin(folder=tmp_path, arguments=(), **settings):
        for name, value in environment(folder, **settings).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["flask", *arguments])
        with pytest.raises(SystemExit) as ended:
            load_settings_or_exit()
        return ended.value.code, *capsys.readouterr()

    return begin


WRONG = {
    "app_env": "staging",
    "backup_frequency": "hourly",
    "backup_hour": "24",
    "backup_keep_last": "0",
    "backup_keep_daily": "-1",
    "backup_keep_weekly": "many",
    "backup_keep_monthly": "1001",
    "celery_beat_db_scheduler_max_interval_seconds": "0",
    "celery_beat_db_scheduler_sync_every_seconds": "-1",
    "celery_broker_url": "amqp://localhost",
    "celery_fallback": "sometimes",
    "celery_result_backend": "redis://",
    "celery_task_always_eager": "perhaps",
    "celery_task_default_queue": "two words",
    "celery_timezone": "Mars/Olympus",
    "database_url": "mysql://localhost/k9",
    "jobs_breaker_failures": "0",
    "jobs_breaker_seconds": "-1",
    "jobs_drain_seconds": "-1",
    "jobs_executor_threads": "0",
    "jobs_late_seconds": "-5",
    "jobs_lease_seconds": "0",
    "jobs_pickup_grace_seconds": "0",
    "jobs_pickup_limit_seconds": "soon",
    "jobs_scheduler": "cron",
    "jobs_tick_seconds": "0",
    "redis_cache_db": "-1",
    "redis_celery_broker_db": "one",
    "redis_celery_result_db": "-1",
    "redis_port": "70000",
    "redis_url": "localhost:6379",
    "mail_default_sender": "nobody",
    "mail_server": "without a sender",
    "mail_port": "0",
    "mail_use_ssl": "perhaps",
    "mail_use_tls": "perhaps",
    "public_url": "k9.unit.example",
    "session_cookie_secure": "perhaps",
    "test_clock_offset_seconds": "60",
    "unit_timezone": "Mars/Olympus",
    "use_celery": "maybe",
}


@pytest.mark.parametrize("name", WRONG)
def test_start_ends_with_one_line_naming_the_setting_when_it_is_wrong(start, name):
    code, out, error = start(**{name: WRONG[name]})
    assert (code, out) == (2, "")
    assert error.startswith(f"{name.upper()}: ")
    assert len(error.splitlines()) == 1


def test_start_gives_an_error_document_when_json_is_asked_for(start):
    code, out, _ = start(arguments=["--json"], backup_hour="99")
    assert code == 2
    assert json.loads(out)["error"]["field"] == "BACKUP_HOUR"


def test_start_keeps_an_address_to_itself_when_it_holds_a_password(start):
    _, out, error = start(database_url="mysql://k9:hunter2@localhost/k9")
    assert "hunter2" not in out + error


@pytest.mark.parametrize("end", ["localhost:port/k9", "[::1/k9"])
def test_start_refuses_an_address_that_cannot_be_read(start, end):
    code, out, error = start(database_url=f"postgresql://k9:hunter2@{end}")
    assert (code, out) == (2, "")
    assert error.startswith("DATABASE_URL: ")
    assert "hunter2" not in error


@pytest.mark.parametrize("url", ["sqlite:///", "sqlite:///:memory:"])
def test_start_refuses_a_database_that_processes_cannot_share(start, url):
    assert start(database_url=url)[0] == 2


def test_files_are_closed_to_other_users_when_settings_are_loaded(tmp_path, monkeypatch):
    monkeypatch.setenv("INSTANCE_PATH", str(tmp_path / "instance"))
    before = os.umask(0o022)
    try:
        load_settings()
        (tmp_path / "instance" / "k9ops.db").touch()
    finally:
        os.umask(before)
    modes = [path.stat().st_mode & 0o077 for path in tmp_path.rglob("*")]
    assert modes == [0, 0, 0]


def test_start_names_the_folder_when_it_cannot_be_made(start, tmp_path):
    (tmp_path / "file").touch()
    code, _, error = start(folder=tmp_path / "file" / "instance")
    assert code == 2
    assert error.startswith("INSTANCE_PATH: ")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_settings_name_the_driver_when_the_address_does_not(tmp_path, scheme):
    url = f"{scheme}://k9@localhost/k9"
    settings = Settings(_env_file=None, instance_path=tmp_path, database_url=url)
    assert settings.database_url == "postgresql+psycopg2://k9@localhost/k9"
    assert not settings.is_sqlite


def test_settings_use_the_instance_folder_when_nothing_else_is_said(tmp_path):
    settings = Settings(_env_file=None, instance_path=tmp_path)
    assert settings.database_url == f"sqlite:///{tmp_path}/k9ops.db"
    assert settings.backup_dir == tmp_path / "backups"


def test_settings_split_module_names_when_several_are_given(tmp_path, monkeypatch):
    monkeypatch.setenv("JOBS_EXTRA_MODULES", "one.jobs, two.jobs,")
    settings = Settings(_env_file=None, instance_path=tmp_path)
    assert settings.jobs_extra_modules == ("one.jobs", "two.jobs")


def test_load_settings_keeps_one_secret_when_called_twice(tmp_path, monkeypatch):
    monkeypatch.setenv("INSTANCE_PATH", str(tmp_path))
    first, second = load_settings(), load_settings()
    assert first.secret_key == second.secret_key
    assert len(first.secret_key) == 64
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


def test_settings_build_the_addresses_of_redis_from_its_parts(tmp_path):
    parts = {"redis_host": "cache", "redis_port": 6380, "redis_password": "p@ss/word"}
    settings = Settings(_env_file=None, instance_path=tmp_path, **parts)
    assert settings.celery_broker_url == "redis://:p%40ss%2Fword@cache:6380/1"
    assert settings.celery_result_backend == "redis://:p%40ss%2Fword@cache:6380/2"
    assert settings.celery_on


@pytest.mark.parametrize(("use", "is_on"), [("auto", True), ("TRUE", True), ("false", False)])
def test_celery_is_used_as_the_setting_says_when_a_broker_is_given(tmp_path, use, is_on):
    given = {"use_celery": use, "redis_url": "redis://localhost"}
    assert Settings(_env_file=None, instance_path=tmp_path, **given).celery_on is is_on


def test_start_names_what_is_missing_when_celery_is_wanted_without_a_broker(start):
    code, _, error = start(use_celery="true")
    assert code == 2
    assert error.startswith("USE_CELERY: needs CELERY_BROKER_URL")


@pytest.mark.parametrize("url", ["amqp://k9:hunter2@localhost", "redis://:a@ss/hunter2@host/1"])
@pytest.mark.parametrize("name", ["celery_broker_url", "celery_result_backend", "redis_url"])
def test_start_keeps_a_broker_address_to_itself(start, name, url):
    _, out, error = start(**{name: url})
    assert error.startswith(f"{name.upper()}: ")
    assert "hunter2" not in out + error
