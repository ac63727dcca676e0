"""Real processes of the product, each in its own folder, deaf to the machine's settings."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from config import ROOT, Settings
from tests.support.celery_workers import (
    ALL_QUEUES,
    CeleryProcess,
    beat_command,
    is_present,
    worker_command,
)
from tests.support.waiting import free_port, wait_until

#: What may differ between two runs of the tests besides the settings. Without compiled files each
#: of the many processes would compile the product anew.
OTHERS = (
    "PORT", "WORKERS", "SAMPLE", "FLASK_APP", "FLASK_DEBUG", "WEB_CONCURRENCY",
    "PYTHONDONTWRITEBYTECODE",
)  # fmt: skip


def setting_names() -> list[str]:
    return [name.upper() for name in Settings.model_fields]


def scrub_environment() -> None:
    """Forget every setting that this machine has, so that tests mean the same everywhere."""
    for name in (*setting_names(), *OTHERS):
        os.environ.pop(name, None)


def environment(folder: Path, **settings: object) -> dict[str, str]:
    """A child's environment: every setting is given, so that no `.env` can fill one in.

    Settings that are None are left out: the child finds its own default.
    """
    shown = Settings(_env_file=None, instance_path=folder).model_dump() | settings
    given = {name.upper(): _as_text(value) for name, value in shown.items() if value is not None}
    kept = {name: value for name, value in os.environ.items() if name not in setting_names()}
    return kept | {name: value for name, value in given.items() if value}


def _as_text(value: object) -> str:
    if isinstance(value, tuple | list):
        return ",".join(value) or ","
    return str(value)


@dataclass
class Server:
    """A running gunicorn; `stop` ends it with SIGTERM and demands exit code 0."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self.process.pid

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def is_up(self) -> bool:
        assert self.process.poll() is None, f"the server ended:\n{self.log.read_text()}"
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def stop(self, seconds: float = 40) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        assert self.process.wait(seconds) == 0, self.log.read_text()

    def kill(self) -> None:
        """End it and its children at once, as a lost machine would."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@dataclass
class Instance:
    """One copy of the product: its folder, its settings, and the processes started for it."""

    folder: Path
    settings: dict[str, object]
    servers: list[Server] = field(default_factory=list)
    celery: list[CeleryProcess] = field(default_factory=list)

    def env(self, **settings: object) -> dict[str, str]:
        return environment(self.folder, **{**self.settings, **settings})

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "flask", *arguments]

    def flask(
        self, *arguments: str, timeout: float = 90, stdin: str | None = None, **settings: object
    ) -> subprocess.CompletedProcess[str]:
        """Run `flask …` to its end; the caller reads its exit code."""
        return subprocess.run(
            self.command(*arguments),
            cwd=ROOT,
            env=self.env(**settings),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def spawn(self, *arguments: str, **settings: object) -> subprocess.Popen[str]:
        """Start `flask …` and leave it running; the caller ends it."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=ROOT,
            env=self.env(**settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def start(self, workers: int = 1, seconds: float = 30, **settings: object) -> Server:
        """Start gunicorn as `make run` does and wait until it answers."""
        port = free_port()
        env = self.env(**settings) | {"PORT": str(port), "WORKERS": str(workers)}
        log = self.folder / f"server-{port}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"],
                cwd=ROOT,
                env=env,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        server = Server(process, port, log)
        self.servers.append(server)
        wait_until(server.is_up, seconds)
        return server

    def worker(
        self,
        queues: str = ALL_QUEUES,
        concurrency: int = 1,
        pool: str = "prefork",
        *,
        seconds: float = 30,
        **settings: object,
    ) -> CeleryProcess:
        """Start a Celery worker and wait until it takes messages; `seconds=0` does not wait."""
        name = f"worker-{len(self.celery)}"
        command = worker_command(queues, concurrency, pool, name)
        worker = self._celery(command, name, settings)
        if seconds:
            url = str({**self.settings, **settings}["celery_broker_url"])
            worker.wait_ready(lambda: is_present(url, name), seconds)
        return worker

    def beat(self, *, seconds: float = 30, **settings: object) -> CeleryProcess:
        """Start Celery Beat and wait until it says so."""
        beat = self._celery(beat_command(), f"beat-{len(self.celery)}", settings)
        beat.wait_ready(lambda: "is starting" in beat.text(), seconds)
        return beat

    def _celery(self, command: list[str], name: str, settings: dict[str, object]) -> CeleryProcess:
        env, log = self.env(**settings), self.folder / f"{name}.log"
        self.celery.append(CeleryProcess.start(command, env, log))
        return self.celery[-1]

    def close(self) -> None:
        """Stop what still runs, so that a failed test leaves nothing behind."""
        for process in self.celery:
            process.kill_group()
        try:
            for server in self.servers:
                if server.process.poll() is None:
                    server.stop()
        finally:
            for server in self.servers:
                server.kill()
