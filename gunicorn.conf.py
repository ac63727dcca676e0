"""gunicorn: starts the engine's threads in each web worker, and drains them before it exits."""

import gc
import os
import signal
import socket
import sys
import threading
from types import FrameType
from typing import Any

from config import load_settings_or_exit
from k9ops.jobs.scheduler import EngineService

_settings = load_settings_or_exit()


def _whole(name: str, default: int, most: int) -> int:
    """A whole number of the environment; anything else ends the start with one line."""
    given = os.environ.get(name) or str(default)
    if not given.isdecimal() or not 1 <= int(given) <= most:
        text = f"{name}: must be a whole number from 1 to {most} (given: {given!r})\n"
        sys.stderr.write(text)
        raise SystemExit(2)
    return int(given)


bind = f"{os.environ.get('HOST') or '127.0.0.1'}:{_whole('PORT', 8000, 65535)}"
workers = _whole("WORKERS", 2, 64)
worker_class = "gthread"
threads = 8
#: Workers are never recycled: that would kill a running job for nothing.
max_requests = 0
#: The drain ends within its grace and a few seconds; only then may a worker be killed.
graceful_timeout = int(_settings.jobs_drain_seconds) + 15
control_socket_disable = True
loglevel = "warning"


def on_starting(_server: Any) -> None:
    """A port that is taken ends the start with one line; gunicorn itself tries for five seconds."""
    host, _, port = bind.rpartition(":")
    if "GUNICORN_FD" in os.environ:  # the server that hands over holds it still
        return
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), int(port)))
        except OSError as error:
            text = f"PORT: {bind} cannot be had: {error.strerror}. Give another, PORT=8080.\n"
            sys.stderr.write(text)
            raise SystemExit(2) from None


def post_worker_init(worker: Any) -> None:
    """Start the engine after the fork, in the worker that will run it."""
    service = EngineService(worker.app.callable, "web", ticks=_settings.jobs_scheduler == "web")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        _drain_first(number, service)
    service.start()
    # What is there now stays: no collection looks through it again, which takes 50 ms of a request.
    gc.collect()
    gc.freeze()
    if worker.age == 1:
        print(f"ready http://{bind}", flush=True)  # noqa: T201  (the line that scripts wait for)


def _drain_first(number: int, service: EngineService) -> None:
    """Chain a stop signal: drain in a thread while requests are still served, then pass it on."""
    previous = signal.getsignal(number)
    drained = threading.Event()

    def drain() -> None:
        try:
            service.stop()
        finally:
            drained.set()
            os.kill(os.getpid(), number)

    def handle(received: int, frame: FrameType | None) -> None:
        if drained.is_set() and callable(previous):
            previous(received, frame)
        elif _first_time():
            threading.Thread(target=drain, name="drain", daemon=True).start()

    signal.signal(number, handle)


_draining = threading.Lock()


def _first_time() -> bool:
    """Whether no signal has started the drain yet."""
    return _draining.acquire(blocking=False)
