"""A fault planted in the proxy or the name server is seen by whoever stands behind it."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, TimeoutError
from redis.retry import Retry

from tests.support.proxy import Proxy
from tests.support.redis import RedisServer
from tests.support.silent_dns import SilentNameServer
from tests.support.waiting import wait_until


@pytest.fixture
def proxy(make_proxy, redis_server: RedisServer) -> Proxy:
    return make_proxy(redis_server.port)


@pytest.fixture
def through(redis_server: RedisServer, proxy: Proxy) -> Iterator[Redis]:
    """A client behind the proxy, connected."""
    url = redis_server.url(port=proxy.port)
    with Redis.from_url(url, socket_timeout=0.5, retry=Retry(NoBackoff(), 0)) as client:
        assert client.ping()
        yield client


def test_refusing_proxy_is_gone_and_comes_back(through: Redis, proxy: Proxy):
    proxy.refuse()
    for _ in range(2):
        with pytest.raises(ConnectionError):
            through.ping()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", proxy.port))
    proxy.mend()
    assert through.ping()


def test_frozen_proxy_connects_and_never_answers(through: Redis, proxy: Proxy):
    proxy.freeze()
    for _ in range(2):  # the open connection, and a new one
        with pytest.raises(TimeoutError):
            through.ping()
    proxy.mend()
    assert through.ping()


def test_delayed_answer_comes_late(through: Redis, proxy: Proxy):
    proxy.delay(0.2)
    began = time.monotonic()
    assert through.ping()
    assert 0.2 <= time.monotonic() - began < 0.45


def test_dripping_answer_outlasts_a_socket_time_out(through: Redis, proxy: Proxy):
    proxy.drip(0.2)
    began = time.monotonic()
    assert through.echo("x" * 5) == b"xxxxx"
    assert time.monotonic() - began > 10 * 0.2  # "$5\r\nxxxxx\r\n", never idle for 0.5 s


def test_cut_closes_open_connections_only(through: Redis, proxy: Proxy):
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=2) as connection:
        connection.sendall(b"PING\r\n")
        assert connection.recv(100) == b"+PONG\r\n"
        proxy.cut()
        with suppress(ConnectionResetError):
            assert connection.recv(100) == b""
    assert through.ping()


def test_swallowed_reply_leaves_the_request_done(through: Redis, proxy: Proxy):
    proxy.swallow_reply(to=b"LPUSH")
    assert through.set("other", 1)
    with pytest.raises(ConnectionError):
        through.lpush("list", "one")
    assert through.lrange("list", 0, -1) == [b"one"]


def test_flapping_proxy_is_there_and_gone_by_turns(through: Redis, proxy: Proxy):
    proxy.flap(up=0.2, down=0.2)
    seen = [_is_up(through) for _ in range(60) if time.sleep(0.02) is None]
    assert 10 < sum(seen) < 50
    proxy.mend()
    wait_until(lambda: _is_up(through), 2)


def _is_up(client: Redis) -> bool:
    try:
        return client.ping()
    except ConnectionError:
        return False


def test_silent_name_server_keeps_a_command_waiting(silent_names: SilentNameServer):
    look = "import socket; socket.getaddrinfo('redis.invalid.example', 6379)"
    command = silent_names.wrap([sys.executable, "-c", look])
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run(command, timeout=2, check=False)
    assert silent_names.questions() > 0
    near = silent_names.wrap([sys.executable, "-c", look.replace("redis.invalid.example", "::1")])
    assert subprocess.run(near, timeout=10, check=False).returncode == 0
