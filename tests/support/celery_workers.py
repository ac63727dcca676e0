"""Celery's own commands as real processes: workers and Beat, each in a session of its own."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from redis.exceptions import ConnectionError

from config import ROOT
from k9ops.jobs.broker import connect, worker_key
from tests.support.waiting import wait_until

ALL_QUEUES = "k9_tasks,backups,reports,notifications,schedules"


def celery(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "celery", "-A", "k9ops.worker:celery", *arguments]


@dataclass
class CeleryProcess:
    """A running `celery …`; its output is in `log`."""

    process: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def start(cls, command: list[str], env: dict[str, str], log: Path) -> "CeleryProcess":
        with log.open("wb") as file:
            process = subprocess.Popen(
                command, cwd=ROOT, env=env, stdout=file, stderr=file, start_new_session=True
            )
        return cls(process, log)

    @property
    def pid(self) -> int:
        return self.process.pid

    def children(self) -> list[int]:
        found = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(pid) for pid in found.split()]

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_ready(self, is_ready: Callable[[], object], seconds: float = 30) -> None:
        def seen() -> object:
            assert self.process.poll() is None, f"celery ended:\n{self.text()}"
            return is_ready()

        wait_until(seen, seconds)

    def terminate(self) -> None:
        """SIGTERM to the parent alone: a warm shutdown."""
        self.process.terminate()

    def wait(self, seconds: float = 40) -> int:
        return self.process.wait(seconds)

    def stop(self, seconds: float = 40) -> None:
        """End it by SIGTERM, which must end it with 0."""
        self.terminate()
        assert self.wait(seconds) == 0, self.text()

    def kill(self) -> None:
        """SIGKILL to the parent alone; its children find out by themselves."""
        self.process.kill()
        self.process.wait()

    def kill_group(self) -> None:
        """End it and its children at once, as a lost machine would."""
        self._signal_group(signal.SIGKILL)
        self.process.wait()

    def freeze(self) -> None:
        self._signal_group(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_group(signal.SIGCONT)

    def _signal_group(self, what: signal.Signals) -> None:
        try:
            os.killpg(self.pid, what)
        except ProcessLookupError:
            pass  # all of them have ended


def is_present(broker_url: str, name: str) -> bool:
    """Whether the worker of that name takes messages, as it tells the broker itself."""
    with suppress(ConnectionError), connect(broker_url, seconds=5) as client:
        return client.exists(worker_key(f"{name}@{socket.gethostname()}"))
    return False


def worker_command(queues: str, concurrency: int, pool: str, name: str) -> list[str]:
    size = ["-c", str(concurrency), "-P", pool, "-n", f"{name}@%h"]
    alone = ["--without-mingle", "--without-gossip"]
    return celery("worker", "-Q", queues, *size, *alone)


def beat_command() -> list[str]:
    return celery("beat", "--pidfile=")
