"""Waits for Redis keep to a deadline that its own time-outs do not know."""

import time

import pytest
from redis.exceptions import TimeoutError as RedisTimeout

from k9ops.jobs.broker import SOCKET_SECONDS, connect
from k9ops.jobs.deadline import deadline, seconds_left
from k9ops.jobs.runtime import runtime


@pytest.fixture
def proxy(make_proxy, redis_server):
    return make_proxy(redis_server.port)


@pytest.fixture
def client(proxy, redis_server):
    with connect(redis_server.url(1, port=proxy.port)) as client:
        client.ping()
        yield client


def test_dripping_answer_ends_with_the_deadline(client, proxy):
    proxy.drip(SOCKET_SECONDS / 5)
    began = time.monotonic()
    with deadline(0.4), pytest.raises(RedisTimeout):
        client.echo("drops" * 20)
    assert 0.3 < time.monotonic() - began < 0.6


def test_answer_is_waited_for_where_there_is_no_deadline(client, proxy):
    proxy.drip(SOCKET_SECONDS / 5)
    assert client.echo("drops") == "drops"


def test_connection_serves_on_after_a_deadline(client, proxy):
    proxy.freeze()
    with deadline(0.1), pytest.raises(RedisTimeout):
        client.ping()
    proxy.mend()
    assert client.ping()


def test_nothing_is_sent_when_it_is_too_late(client):
    with deadline(0), pytest.raises((RedisTimeout, TimeoutError)):
        client.set("late", "1")
    assert client.get("late") is None


def test_inner_deadline_does_not_move_the_outer_one():
    with deadline(0.1):
        with deadline(5):
            assert seconds_left() <= 0.1
        assert seconds_left() <= 0.1
    assert seconds_left() > 1000


def test_publisher_keeps_its_client(make_unit):
    make_unit()
    with runtime().transport.celery.producer_pool.acquire() as producer:
        channel = producer.channel
        with channel.conn_or_acquire() as first, channel.conn_or_acquire() as second:
            assert first is second
