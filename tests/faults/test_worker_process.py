"""A worker as a process among ours: what it logs, how it comes back, how it ends at Ctrl-C."""

import signal
import time

from tests.faults.conftest import (
    POOLS,
    Ledger,
    check_on_celery,
    on_postgresql,
    quick_on_postgresql,
    run_job,
    with_quick,
)
from tests.support.celery_workers import is_present
from tests.support.processes import Instance, wait_until
from tests.support.redis import RedisServer


@quick_on_postgresql
def test_worker_logs_as_other_processes_do(
    celery_unit: Instance, ledger: Ledger, redis_server: RedisServer
):
    worker = celery_unit.worker()
    run = run_job(celery_unit, "test.progress")
    check_on_celery(run)
    sql = "SELECT message FROM job_log_lines WHERE run_id = :id"
    assert ledger.rows(sql, id=run["id"]) == [{"message": "all steps done"}]
    for text in ("INFO k9ops.jobs.presence", "INFO k9ops.run: all steps done"):
        assert text in worker.text()
    redis_server.stop()
    wait_until(lambda: "Connection to broker lost" in worker.text(), 10)
    worker.stop()


@on_postgresql
@with_quick("pool", POOLS, "prefork")
def test_worker_ends_well_when_interrupted(celery_unit: Instance, pool: str):
    worker = celery_unit.worker(pool=pool)
    worker.process.send_signal(signal.SIGINT)
    assert worker.wait() == 0, worker.text()


#: Celery's own pauses would by then have grown to eight seconds.
SICK_SECONDS = 13
HEALING = {"stop": "start", "make_read_only": "make_writable", "make_loading": "finish_loading"}


@on_postgresql
@with_quick("sickness", HEALING, "make_read_only")
def test_worker_is_soon_back_when_redis_is_well_again(
    celery_unit: Instance, redis_server: RedisServer, sickness: str
):
    worker = celery_unit.worker()
    getattr(redis_server, sickness)()
    time.sleep(SICK_SECONDS)
    getattr(redis_server, HEALING[sickness])()
    wait_until(lambda: is_present(redis_server.url(1), "worker-0"), 4)
    check_on_celery(run_job(celery_unit, "test.sleep"))
    worker.stop()
