"""What the tests of a file share: starting a server costs more than most of them."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from k9ops.core.settings import CHANGEABLE
from tests.support.databases import Databases
from tests.support.people import AMAL
from tests.support.processes import Instance, Server
from tests.support.redis import RedisServer
from tests.support.unit import SmallUnit, add_unit
from tests.support.walking import sign_in, visit
from tests.support.whole import RunningUnit, running_unit

#: The machine may be busy with other tests.
expect.set_options(timeout=15_000)


@pytest.fixture
def database_kind() -> str:
    """A browser sees no difference."""
    return "sqlite"


@pytest.fixture
def unit(app: Flask) -> SmallUnit:
    """The small unit, in the test's database."""
    return add_unit(app)


@pytest.fixture
def unit_server(
    make_instance: Callable[..., Instance], database_url: str, unit: SmallUnit
) -> Server:
    return make_instance(database_url=database_url).start()


@pytest.fixture(scope="session")
def whole(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningUnit]:
    """The whole unit and its server, for all tests that change nothing of it."""
    url = databases.new("sqlite")
    with running_unit(url, tmp_path_factory.mktemp("whole")) as unit:
        yield unit
    databases.drop(url)


@pytest.fixture(scope="module")
def make_shared_instance(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Instance]]:
    """As `make_instance`, on an own SQLite database with the tests' people, for the whole file."""
    made: list[Instance] = []

    def make(**settings: object) -> Instance:
        fixed = {"secret_key": "only for tests", "app_env": "testing"}
        own = {"database_url": databases.new("sqlite"), **fixed, **settings}
        made.append(Instance(tmp_path_factory.mktemp("instance"), own))
        return made[-1]

    yield make
    for instance in made:
        instance.close()
        databases.drop(str(instance.settings["database_url"]))


@pytest.fixture(scope="module")
def shared_redis() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server.start()
    server.close()


@pytest.fixture(scope="module")
def celery_instance(
    make_shared_instance: Callable[..., Instance], shared_redis: RedisServer
) -> Instance:
    """An own product with a Celery worker of two processes; nothing comes due by itself."""
    instance = make_shared_instance(
        celery_broker_url=shared_redis.url(1),
        jobs_extra_modules=("tests.support.jobs",),
        jobs_scheduler="standalone",
        **dict.fromkeys(CHANGEABLE),  # left to the page of settings
    )
    instance.worker(concurrency=2)
    return instance


@pytest.fixture(scope="module")
def celery_server(celery_instance: Instance) -> Server:
    return celery_instance.start()


@pytest.fixture(params=[("ar", 390), ("en", 1360)], ids=["ar-phone", "en-wide"])
def amals(
    request: pytest.FixtureRequest, browser: Browser, celery_server: Server
) -> Iterator[Page]:
    """A page of that server with Amal signed in: in Arabic on a phone, in English wide."""
    language, width = request.param
    with visit(browser, celery_server, viewport={"width": width, "height": 900}) as page:
        sign_in(page, AMAL, language)
        yield page
