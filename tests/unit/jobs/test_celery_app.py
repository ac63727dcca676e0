"""The Celery application follows the unit's settings, and nothing in it waits without a bound."""

import ssl

import pytest

from k9ops.jobs.broker import lists_of
from k9ops.jobs.celery_app import celery_priority, make_celery
from k9ops.jobs.queues import QUEUES, queue_names
from k9ops.jobs.registry import catalogue, load_modules
from tests.support.databases import make_settings


@pytest.fixture
def conf(tmp_path):
    """`conf(setting=value)`: what Celery makes of it."""
    load_modules(["tests.support.jobs"])

    def make(**settings):
        given = {"redis_url": "redis://localhost:6379/9", **settings}
        return make_celery(make_settings(tmp_path, **given), catalogue().values()).conf

    return make


def test_celery_takes_json_only_and_the_settings_clock(conf):
    made = conf(celery_timezone="Europe/Berlin")
    assert (made.accept_content, made.task_serializer, made.result_serializer) == (
        ["json"], "json", "json",
    )  # fmt: skip
    assert (made.timezone, made.enable_utc) == ("Europe/Berlin", True)


def test_celery_has_the_limits_of_the_unit(conf):
    made = conf()
    assert (made.task_time_limit, made.task_soft_time_limit) == (1800, 1500)
    assert (made.worker_prefetch_multiplier, made.worker_max_tasks_per_child) == (1, 1000)
    assert made.worker_max_memory_per_child > 0


def test_celery_uses_the_databases_of_the_one_redis(conf):
    made = conf(redis_url="redis://:s%40cret@host:1/9")
    assert made.broker_url == "redis://:s%40cret@host:1/1"
    assert made.result_backend == "redis://:s%40cret@host:1/2"


def test_celery_has_no_result_backend_when_only_a_broker_is_given(conf):
    assert conf(redis_url="", celery_broker_url="redis://host/1").result_backend is None


def test_publishing_is_bounded_and_never_tried_twice(conf):
    made = conf()
    options = made.broker_transport_options
    assert made.task_publish_retry is False
    assert options["max_retries"] == 0
    assert max(options["socket_timeout"], options["socket_connect_timeout"]) < 1
    assert made.broker_pool_acquire_timeout == 1


def test_worker_comes_back_however_long_the_outage(conf):
    made = conf()
    assert made.broker_connection_retry_on_startup is True
    assert made.broker_connection_max_retries is None


@pytest.mark.parametrize(
    ("end", "level"),
    [
        ("", ssl.CERT_REQUIRED),
        ("?ssl_cert_reqs=none", ssl.CERT_NONE),
        ("?ssl_cert_reqs=CERT_OPTIONAL", ssl.CERT_OPTIONAL),
    ],
)
def test_certificate_is_checked_unless_the_address_says_not(conf, end, level):
    made = conf(redis_url=f"rediss://host{end}")
    assert made.broker_use_ssl["ssl_cert_reqs"] == level
    assert made.redis_backend_use_ssl["ssl_cert_reqs"] == level


def test_every_job_is_routed_to_its_queue_and_priority(conf):
    made = conf(celery_task_default_queue="main")
    backup = made.task_routes.get("backups.run_automated_backup")
    assert made.task_routes["test.sleep"] == {"queue": "main", "priority": 4}
    assert backup is None or backup["queue"] == "backups"
    assert {queue.name for queue in made.task_queues} >= {"main", *QUEUES[1:]}


def test_queues_are_those_of_the_unit_and_of_its_jobs(tmp_path):
    assert queue_names(make_settings(tmp_path), []) == list(QUEUES)


@pytest.mark.parametrize(("priority", "celerys"), [(9, 0), (5, 4), (0, 9)])
def test_highest_priority_is_celerys_lowest_number(priority, celerys):
    assert celery_priority(priority) == celerys


def test_queue_is_ten_lists_of_which_the_plain_name_is_first():
    lists = lists_of("backups")
    assert (lists[0], len(set(lists))) == ("backups", 10)
