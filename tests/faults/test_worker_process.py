"""A worker as a process among ours: what it logs, how it ends at Ctrl-C."""

import signal

from tests.faults.conftest import (
    POOLS,
    Ledger,
    check_on_celery,
    on_postgresql,
    quick_on_postgresql,
    run_job,
    with_quick,
)
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
