"""A broker in every state of sickness: the run succeeds here, and the reason is known in time."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest

from tests.faults.conftest import (
    Caller,
    Ledger,
    check_fell_back,
    check_on_celery,
    check_one_effect_each,
    check_settled,
    on_postgresql,
    quick_on_postgresql,
    run_job,
    start_both,
    with_quick,
)
from tests.support.processes import Instance, wait_until
from tests.support.proxy import Proxy
from tests.support.redis import RedisServer
from tests.support.silent_dns import SilentNameServer

SICK = {
    "stop": "broker_unreachable",
    "freeze": "broker_timeout",
    "make_full": "broker_refused",
    "make_read_only": "broker_refused",
    "make_loading": "broker_refused",
}


@on_postgresql
@with_quick("sickness", SICK, "stop")
def test_sick_broker_is_found_out_within_a_second(
    celery_unit: Instance, redis_server: RedisServer, ledger: Ledger, sickness: str
):
    getattr(redis_server, sickness)()
    run = run_job(celery_unit, "test.effect", journal=ledger.path)
    check_fell_back(run, SICK[sickness])
    assert len(ledger.journal("effect", run["id"])) == 1


@on_postgresql
@pytest.mark.slow
@pytest.mark.parametrize("sickness", SICK)
def test_broker_that_falls_sick_under_its_worker_is_found_out(
    celery_unit: Instance,
    redis_server: RedisServer,
    ledger: Ledger,
    caller: Caller,
    sickness: str,
):
    """The same for a process whose connections to the broker are open, beside a live worker."""
    start_both(celery_unit)
    first = caller.dispatch("test.effect", journal=ledger.path)
    assert ledger.wait_for(first, "succeeded")["path"] == "celery"
    getattr(redis_server, sickness)()
    run_id = caller.dispatch("test.effect", journal=ledger.path)
    run = ledger.wait_for(run_id, "succeeded")
    assert (run["path"], run["reason"]) == ("in_process", SICK[sickness])
    assert run["decision_ms"] < 1000
    assert len(ledger.journal("effect", run_id)) == 1


@on_postgresql
def test_wrong_password_is_a_refusal(make_redis: Callable[..., RedisServer], celery_unit: Instance):
    server = make_redis(password="right")
    celery_unit.settings["celery_broker_url"] = server.url(1, password="wrong")
    check_fell_back(run_job(celery_unit, "test.sleep"), "broker_refused")


@on_postgresql
@pytest.mark.parametrize("queues", [None, pytest.param("reports,backups", marks=pytest.mark.slow)])
def test_queue_without_worker_is_known(celery_unit: Instance, queues: str | None):
    if queues:
        celery_unit.worker(queues)
    check_fell_back(run_job(celery_unit, "test.sleep"), "no_worker")


@on_postgresql
@with_quick("sickness", ["stop", "freeze"], "freeze")
def test_sick_result_backend_alone_changes_nothing(
    celery_unit: Instance, make_redis: Callable[..., RedisServer], ledger: Ledger, sickness: str
):
    results = make_redis()
    celery_unit.settings["celery_result_backend"] = results.url(2)
    celery_unit.worker()
    getattr(results, sickness)()
    run = run_job(celery_unit, "test.effect", journal=ledger.path)
    check_on_celery(run)
    assert run["duration_ms"] < 2000


@on_postgresql
def test_encrypted_broker_with_password_carries_runs(
    make_redis: Callable[..., RedisServer], celery_unit: Instance
):
    celery_unit.settings["celery_broker_url"] = make_redis(tls=True, password="secret").url(1)
    celery_unit.worker()
    check_on_celery(run_job(celery_unit, "test.sleep"))


@pytest.mark.slow
@on_postgresql
def test_untrusted_certificate_is_found_out(
    make_redis: Callable[..., RedisServer], celery_unit: Instance
):
    url = make_redis(tls=True).url(1).partition("?")[0]
    celery_unit.settings["celery_broker_url"] = url
    check_fell_back(run_job(celery_unit, "test.sleep"), "broker_refused")


@on_postgresql
def test_silent_name_server_holds_no_decision(
    celery_unit: Instance, silent_names: SilentNameServer
):
    celery_unit.settings["celery_broker_url"] = "redis://redis.k9ops.example:6379/1"
    run = run_job(celery_unit, "test.sleep", wrap=silent_names.wrap)
    check_fell_back(run, "broker_timeout")
    assert silent_names.questions() > 0


WAYS = {
    "refuse": ("broker_unreachable", {}),
    "freeze": ("broker_timeout", {}),
    "drip": ("broker_timeout", {"seconds": 0.2}),
    "delay": ("broker_timeout", {"seconds": 5}),
}


@on_postgresql
@with_quick("way", WAYS, "drip")
def test_sick_network_is_found_out_within_a_second(
    celery_unit: Instance,
    redis_server: RedisServer,
    make_proxy: Callable[[int], Proxy],
    way: str,
):
    """A worker lives and only the way to the broker is bad."""
    proxy = make_proxy(redis_server.port)
    celery_unit.worker()
    celery_unit.settings["celery_broker_url"] = redis_server.url(1, port=proxy.port)
    check_on_celery(run_job(celery_unit, "test.sleep"))
    reason, how = WAYS[way]
    getattr(proxy, way)(**how)
    check_fell_back(run_job(celery_unit, "test.sleep"), reason)


@quick_on_postgresql
def test_message_of_a_frozen_broker_has_no_second_effect(
    celery_unit: Instance, redis_server: RedisServer, ledger: Ledger, caller: Caller
):
    _, worker = start_both(celery_unit)
    first = caller.dispatch("test.effect", journal=ledger.path)
    ledger.wait_for(first, "succeeded")
    redis_server.freeze()
    run_id = caller.dispatch("test.effect", journal=ledger.path)
    run = ledger.wait_for(run_id, "succeeded")
    assert (run["path"], run["reason"]) == ("in_process", "broker_timeout")
    assert run["decision_ms"] < 1000
    redis_server.thaw()
    check_settled(ledger, redis_server, run_id)
    worker.stop()


@pytest.mark.slow
def test_message_whose_publishing_failed_is_no_second_run(
    celery_unit: Instance,
    redis_server: RedisServer,
    make_proxy: Callable[[int], Proxy],
    make_caller: Callable[..., Caller],
    ledger: Ledger,
):
    """The broker took the message, its answer was lost: the run falls back, the message stays."""
    proxy = make_proxy(redis_server.port)
    caller = make_caller(celery_broker_url=redis_server.url(1, port=proxy.port))
    _, worker = start_both(celery_unit)
    ledger.wait_for(caller.dispatch("test.effect", journal=ledger.path), "succeeded")
    worker.freeze()
    proxy.swallow_reply(to=b"LPUSH")
    run_id = caller.dispatch("test.effect", journal=ledger.path)
    run = ledger.wait_for(run_id, "succeeded")
    assert (run["path"], run["reason"]) == ("in_process", "broker_unreachable")
    assert run["decision_ms"] < 1000
    worker.thaw()
    check_settled(ledger, redis_server, run_id)
    worker.stop()


@quick_on_postgresql
def test_breaker_opens_after_three_failures_for_every_process(
    celery_unit: Instance, redis_server: RedisServer
):
    redis_server.stop()
    for _ in range(3):
        check_fell_back(run_job(celery_unit, "test.sleep"), "broker_unreachable")
    check_fell_back(run_job(celery_unit, "test.sleep"), "breaker_open", within_ms=50)


@pytest.mark.slow
def test_breaker_lets_one_ask_and_closes_when_the_broker_is_well(
    celery_unit: Instance, redis_server: RedisServer
):
    celery_unit.settings["jobs_breaker_seconds"] = 5
    worker = celery_unit.worker()
    redis_server.stop()
    for _ in range(3):
        check_fell_back(run_job(celery_unit, "test.sleep"), "broker_unreachable")
    check_fell_back(run_job(celery_unit, "test.sleep"), "breaker_open")
    redis_server.start()
    with redis_server.client(1) as client:
        wait_until(lambda: client.keys("k9ops:alive:*"), 30)
    time.sleep(5)
    check_on_celery(run_job(celery_unit, "test.sleep"))
    check_on_celery(run_job(celery_unit, "test.sleep"))
    assert worker.process.poll() is None


@pytest.mark.slow
@on_postgresql
def test_flapping_network_loses_and_doubles_nothing(
    celery_unit: Instance,
    redis_server: RedisServer,
    make_proxy: Callable[[int], Proxy],
    make_caller: Callable[..., Caller],
    ledger: Ledger,
):
    proxy = make_proxy(redis_server.port)
    celery_unit.settings["celery_broker_url"] = redis_server.url(1, port=proxy.port)
    celery_unit.settings["jobs_breaker_seconds"] = 1
    start_both(celery_unit)
    proxy.flap(up=2, down=1)
    caller = make_caller()
    run_ids = [
        caller.dispatch("test.effect", journal=ledger.path)
        for _ in range(60)
        if time.sleep(0.15) is None
    ]
    proxy.mend()
    for run_id in run_ids:
        ledger.wait_for(run_id, "succeeded", 60)
    check_one_effect_each(ledger, run_ids)


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A port whose host answers no new connection with a single packet: its backlog is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.settimeout(0.2)
            with suppress(TimeoutError):
                filler.connect(listener.getsockname())
        yield listener.getsockname()[1]


@on_postgresql
def test_black_hole_is_a_time_out(celery_unit: Instance, black_hole: int):
    celery_unit.settings["celery_broker_url"] = f"redis://127.0.0.1:{black_hole}/1"
    check_fell_back(run_job(celery_unit, "test.sleep"), "broker_timeout")
