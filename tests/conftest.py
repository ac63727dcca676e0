"""Fixtures that every test may use. Nothing here reads the machine's settings or `.env`."""

import gc
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from hypothesis import settings as hypothesis_settings
from jinja2 import FileSystemBytecodeCache
from playwright.sync_api import Browser, Page, sync_playwright

from k9ops.app import create_app
from tests.support import browser as browsers
from tests.support import people
from tests.support.databases import KINDS, Databases, dispose, make_settings
from tests.support.drive import DriveServer
from tests.support.mail import MailServer
from tests.support.people import AMAL, BADR, CALINE, Person
from tests.support.postgres import PostgresServer
from tests.support.processes import Instance, Server, scrub_environment
from tests.support.proxy import Proxy
from tests.support.redis import RedisServer
from tests.support.routes import compile_once
from tests.support.silent_dns import SilentNameServer, why_not

scrub_environment()
compile_once()
#: Of `make test-fuzz`.
hypothesis_settings.register_profile("thorough", max_examples=1200)
# A suite that is started in the background ignores Ctrl-C, and so would all that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What is imported stays: looking through it for garbage was a quarter of the tests' time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """New databases; PostgreSQL is started when the first test asks for it."""
    running: list[PostgresServer] = []

    def postgres() -> PostgresServer:
        if not running:
            running.append(PostgresServer())
            running[0].start()
        return running[0]

    yield Databases(tmp_path_factory.mktemp("databases"), postgres)
    for server in running:
        server.stop()


@pytest.fixture(params=KINDS)
def database_kind(request: pytest.FixtureRequest) -> str:
    """Runs the test once on each kind of database."""
    return request.param


@pytest.fixture
def database_url(databases: Databases, database_kind: str) -> Iterator[str]:
    """A fresh database with all tables and the tests' people."""
    url = databases.new(database_kind)
    yield url
    databases.drop(url)


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Each test has an application of its own; the templates are compiled once for all."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def make_app(
    tmp_path: Path, database_url: str, compiled_templates: FileSystemBytecodeCache
) -> Iterator[Callable[..., Flask]]:
    """Applications on the test's database; takes settings by their names."""
    made: list[Flask] = []

    def make(**settings: object) -> Flask:
        values = {"database_url": database_url, **settings}
        app = create_app(make_settings(tmp_path, **values))
        app.jinja_env.bytecode_cache = compiled_templates
        made.append(app)
        return app

    yield make
    for app in made:
        dispose(app)


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app()


@pytest.fixture
def context(app: Flask) -> Iterator[Flask]:
    """The application, with its context pushed for the whole test."""
    with app.app_context():
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A visitor who has not signed in."""
    return app.test_client()


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    """Commands inside this process."""
    return app.test_cli_runner()


@pytest.fixture
def amal() -> Person:
    """Administrator."""
    return AMAL


@pytest.fixture
def badr() -> Person:
    """Handler."""
    return BADR


@pytest.fixture
def caline() -> Person:
    """Project manager."""
    return CALINE


@pytest.fixture
def client_of(app: Flask) -> Callable[[Person], FlaskClient]:
    """`client_of(amal)`: a client in which Amal has signed in."""
    return lambda person: people.signed_in_client(app, person)


@pytest.fixture
def make_instance(tmp_path: Path) -> Iterator[Callable[..., Instance]]:
    """Copies of the product for real processes; takes settings by their names."""
    made: list[Instance] = []

    def make(**settings: object) -> Instance:
        folder = tmp_path / f"instance-{len(made)}"
        folder.mkdir()
        fixed = {"secret_key": "only for tests", "app_env": "testing"}
        made.append(Instance(folder, {**fixed, **settings}))
        return made[-1]

    yield make
    for instance in made:
        instance.close()


@pytest.fixture
def instance(make_instance: Callable[..., Instance], database_url: str) -> Instance:
    """One copy on the test's database."""
    return make_instance(database_url=database_url)


@pytest.fixture
def cli(instance: Instance) -> Callable[..., object]:
    """`cli("jobs", "list", "--json")` in a process of its own."""
    return instance.flask


@pytest.fixture
def server(instance: Instance) -> Server:
    """The running product; stopped by SIGTERM, which must end it with 0."""
    return instance.start()


@pytest.fixture
def make_redis() -> Iterator[Callable[..., RedisServer]]:
    """Running Redis servers, each new and empty; takes the options of `RedisServer`."""
    made: list[RedisServer] = []

    def make(**options: bool | str) -> RedisServer:
        made.append(RedisServer(**options))
        return made[-1].start()

    yield make
    for server in made:
        server.close()


@pytest.fixture
def redis_server(make_redis: Callable[..., RedisServer]) -> RedisServer:
    """A Redis of the test's own, which it may stop, freeze and fill."""
    return make_redis()


@pytest.fixture
def make_proxy() -> Iterator[Callable[[int], Proxy]]:
    """`make_proxy(port)`: a network in front of that port that can fall sick."""
    made: list[Proxy] = []

    def make(port: int) -> Proxy:
        made.append(Proxy(port))
        return made[-1]

    yield make
    for proxy in made:
        proxy.close()


@pytest.fixture
def drive_server() -> Iterator[DriveServer]:
    """A Google Drive of the test's own, empty."""
    server = DriveServer()
    yield server
    server.close()


@pytest.fixture
def make_mail_server() -> Iterator[Callable[..., MailServer]]:
    """Running mail servers; takes the options of `MailServer`."""
    made: list[MailServer] = []

    def make(**options: Any) -> MailServer:
        made.append(MailServer(**options))
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture
def mail_server(make_mail_server: Callable[..., MailServer]) -> MailServer:
    """A mail server of the test's own."""
    return make_mail_server()


@pytest.fixture
def silent_names(tmp_path: Path) -> Iterator[SilentNameServer]:
    """A name server that never answers; skips where a command cannot be given one."""
    if reason := why_not():
        pytest.skip(reason)
    server = SilentNameServer(tmp_path)
    yield server
    server.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = browsers.launch(playwright)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """A page of the running product, in English, that may ask nobody else."""
    with browsers.open_page(browser, server.url) as opened:
        yield opened
