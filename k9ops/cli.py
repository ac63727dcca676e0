"""Entry point of the commands that belong to no feature: `flask prepare`, `flask scheduler`."""

import signal
import threading

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from flask_migrate import upgrade

from k9ops.accounts.services import ensure_first_admin
from k9ops.core.console import handles_errors
from k9ops.core.settings import current_settings
from k9ops.jobs.scheduler import EngineService
from k9ops.jobs.tasks import sync_tasks


def register_commands(app: Flask) -> None:
    """Give the application the commands of this module."""
    for command in (prepare, scheduler):
        app.cli.add_command(command)


@click.command("prepare")
@click.option("--sample", is_flag=True, help="Load the sample unit if the database is empty.")
@with_appcontext
@handles_errors
def prepare(sample: bool) -> None:
    """Bring the database up to date, with a first administrator. Safe to repeat."""
    upgrade()
    made = ensure_first_admin(current_settings())
    sync_tasks()
    if made is not None:
        click.echo(f"sign-in {made[0]} {made[1]}")


@click.command("scheduler")
@with_appcontext
@handles_errors
def scheduler() -> None:
    """Execute and sweep in a process of its own; tick too with JOBS_SCHEDULER=standalone."""
    settings = current_settings()
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    service = EngineService(app, "scheduler", ticks=settings.jobs_scheduler == "standalone")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    service.start()
    click.echo("ready scheduler")
    stop.wait()
    service.stop()
