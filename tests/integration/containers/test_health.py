"""The health checks of docker-compose.yml, asked of real processes, well and unwell."""

import os
import subprocess
import sys

import pytest
from sqlalchemy import create_engine, text

from config import ROOT
from tests.support import compose
from tests.support.celery_workers import CeleryProcess
from tests.support.databases import on_one_kind
from tests.support.waiting import free_port, wait_until

FILE = compose.load()
SERVICES = FILE["services"]


def ask(name, env):
    """Run the health check of a service here; `python` is this one."""
    _, program, *arguments = SERVICES[name]["healthcheck"]["test"]
    programs = {"python": sys.executable}
    return subprocess.run(
        [programs.get(program, program), *arguments],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@on_one_kind
def test_web_is_well_while_it_answers(instance, server):
    env = instance.env() | {"PORT": str(server.port)}
    assert ask("web", env).returncode == 0
    server.stop()
    done = ask("web", env)
    assert (done.returncode, done.stderr) == (
        1,
        "ConnectionRefusedError: [Errno 111] Connection refused\n",
    )


@on_one_kind
def test_beat_is_well_until_something_is_long_due(instance, database_url):
    env = instance.env(jobs_scheduler="beat")
    assert instance.flask("prepare").returncode == 0
    assert ask("beat", env).returncode == 0
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE periodic_tasks SET next_due_at = '2026-01-01 00:00:00'"))
    engine.dispose()
    done = ask("beat", env)
    assert done.returncode == 1
    assert "has been due for" in done.stderr


@on_one_kind
def test_worker_is_well_while_it_takes_messages(instance, redis_server, tmp_path):
    env = instance.env(celery_broker_url=redis_server.url(1))
    program, *arguments = SERVICES["worker"]["command"]
    command = [sys.executable, "-m", program, *arguments]
    worker = CeleryProcess.start(command, env, tmp_path / "worker.log")
    try:
        wait_until(lambda: ask("worker", env).returncode == 0, 30)
        assert worker.process.poll() is None, worker.text()
        worker.freeze()
        wait_until(lambda: "gives no sign of life" in ask("worker", env).stderr, 15)
    finally:
        worker.kill_group()


@pytest.fixture
def redis(tmp_path):
    """Redis with the configuration of the file, on a port of the test's own."""
    port = free_port()
    own = f"port {port}\nbind 127.0.0.1\ndir {tmp_path}\n"
    file = tmp_path / "redis.conf"
    file.write_text(FILE["configs"]["redis"]["content"] + own)
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(["redis-server", file], stdout=log, stderr=log)
    yield port
    process.terminate()
    process.wait(10)


def test_redis_is_well_with_its_password_alone_and_keeps_what_it_is_given(redis):
    given = SERVICES["redis"]["environment"]
    env = dict(os.environ) | given

    def say(*words, env=env):
        command = ["redis-cli", "-p", str(redis), *words]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    # The container's is the usual port.
    check = SERVICES["redis"]["healthcheck"]["test"][2:]
    wait_until(lambda: say(*check).returncode == 0)
    assert say(*check, env=env | {"REDISCLI_AUTH": "another"}).returncode == 1
    assert say("config", "get", "appendonly").stdout.split() == ["appendonly", "yes"]
    assert say("config", "get", "maxmemory-policy").stdout.split()[1] == "noeviction"
