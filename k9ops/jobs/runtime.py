"""What the engine keeps per application: its keeper, its settings, its running service."""

import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from flask import Flask, current_app

from k9ops.core.db import db
from k9ops.jobs import capture
from k9ops.jobs.keeper import Keeper
from k9ops.jobs.registry import load_modules
from k9ops.jobs.transport import Transport

if TYPE_CHECKING:
    from config import Settings

_EXTENSION = "k9ops.jobs"


class Service(Protocol):
    """The threads of a process that executes by itself (web, `flask scheduler`)."""

    def wake(self) -> None:
        """Look for waiting runs now."""

    def seconds_since_tick(self) -> float | None:
        """Age of the last tick of this process; None when it does not tick."""


@dataclass
class Runtime:
    """The engine's state in one application."""

    keeper: Keeper
    settings: "Settings"
    #: The way to Celery; None where it is off.
    transport: Transport | None = None
    service: Service | None = None
    #: This process is a child of a worker's pool: it is itself what may be killed.
    is_pool_child: bool = False
    #: The process is to stop: first nothing more is claimed, then children are ended too.
    stopping_claims: bool = False
    stopping: bool = False

    def wake(self) -> None:
        """Tell this process's executor, if it has one, that a run is waiting."""
        if self.service is not None:
            self.service.wake()


def init_jobs(app: Flask, settings: "Settings", modules: tuple[str, ...]) -> None:
    """Load the catalogue and prepare the engine; starts no thread.

    Raises:
        BadInput: a module of JOBS_EXTRA_MODULES cannot be imported.
    """
    capture.install()
    load_modules(modules)
    load_modules(settings.jobs_extra_modules, setting="JOBS_EXTRA_MODULES")
    with app.app_context():
        keeper = Keeper(db.engine, settings.jobs_lease_seconds)
        transport = Transport(settings, db.engine) if settings.celery_on else None
    app.extensions[_EXTENSION] = Runtime(keeper, settings, transport)


def runtime() -> Runtime:
    """The engine's state; needs an application context."""
    return cast("Runtime", current_app.extensions[_EXTENSION])


def executor_name(kind: str) -> str:
    """`web|scheduler|cli|worker|child:HOST:PID` of this process."""
    return f"{kind}:{socket.gethostname()}:{os.getpid()}"
