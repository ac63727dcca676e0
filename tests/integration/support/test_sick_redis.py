"""The tests' own Redis falls as sick as it is told to, and gets well again."""

import time

import pytest
from redis import Redis
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ConnectionError,
    OutOfMemoryError,
    ReadOnlyError,
    TimeoutError,
)

from tests.support.redis import RedisServer


def put(server: RedisServer, value: str = "here") -> str:
    """Write and read back, with little patience."""
    with server.client() as client:
        client.connection_pool.connection_kwargs["socket_timeout"] = 0.5
        client.set("key", value)
        return client.get("key")


SICK = {
    "make_full": ("make_roomy", OutOfMemoryError),
    "make_read_only": ("make_writable", ReadOnlyError),
    "make_loading": ("finish_loading", BusyLoadingError),
    "freeze": ("thaw", TimeoutError),
    "stop": ("start", ConnectionError),
    "kill": ("start", ConnectionError),
}


@pytest.mark.parametrize("sickness", SICK)
def test_redis_is_sick_and_gets_well(redis_server: RedisServer, sickness: str):
    cure, error = SICK[sickness]
    assert put(redis_server, "before") == "before"
    getattr(redis_server, sickness)()
    for _ in range(3):
        with pytest.raises(error):
            put(redis_server)
        time.sleep(0.2)
    getattr(redis_server, cure)()
    assert put(redis_server, "after") == "after"


def test_loading_brings_the_data_back(redis_server: RedisServer):
    put(redis_server)
    redis_server.make_loading()
    redis_server.finish_loading()
    with redis_server.client() as client:
        assert client.get("key") == "here"


@pytest.mark.parametrize(("aof", "kept"), [(False, None), (True, "here")])
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_restart_keeps_only_what_is_appended(make_redis, aof: bool, kept: str | None, end: str):
    server = make_redis(aof=aof)
    put(server)
    getattr(server, end)()
    server.start()
    with server.client() as client:
        assert client.get("key") == kept


def test_wrong_password_is_refused(make_redis):
    server = make_redis(password="right")
    assert put(server) == "here"
    with (
        Redis.from_url(server.url(password="wrong"), socket_timeout=1) as client,
        pytest.raises(AuthenticationError),
    ):
        client.ping()


def test_encrypted_server_answers_those_who_trust_it(make_redis):
    server = make_redis(tls=True, password="secret")
    assert server.url(1).startswith("rediss://:secret@127.0.0.1:")
    assert put(server) == "here"
