"""Entry point of the commands that belong to no feature: prepare, scheduler, load-sample."""

import os
import signal
from dataclasses import asdict

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from flask_migrate import upgrade

from k9ops.accounts.queries import has_people
from k9ops.accounts.services import ensure_first_admin
from k9ops.core.console import Command, handles_errors, json_option, print_json
from k9ops.core.settings import current_settings
from k9ops.jobs.scheduler import EngineService
from k9ops.jobs.tasks import sync_tasks
from k9ops.sample import Loaded, load_sample


def register_commands(app: Flask) -> None:
    """Give the application the commands of this module."""
    for command in (prepare, scheduler, load_sample_unit):
        app.cli.add_command(command)


@click.command("prepare")
@click.option("--sample", is_flag=True, help="Load the sample unit if the database is empty.")
@with_appcontext
@handles_errors
def prepare(sample: bool) -> None:
    """Bring the database up to date, with a first administrator. Safe to repeat."""
    upgrade()
    empty = not has_people()
    made = ensure_first_admin(current_settings())
    sync_tasks()
    if made is not None:
        click.echo(f"sign-in {made[0]} {made[1]}")
    if sample and empty:
        _say_loaded(load_sample())


@click.command("load-sample", cls=Command)
@click.option("--scale", default=1, type=click.IntRange(1, 10_000), help="How many times as large.")
@json_option
@with_appcontext
@handles_errors
def load_sample_unit(scale: int, as_json: bool) -> None:
    """Load the sample unit to look around in.

    60 people, 80 dogs, 6 projects with 60 days of duty, what they were told, a month of
    background work. Those who can sign in are printed with their password.
    """
    sync_tasks()
    loaded = load_sample(scale)
    if as_json:
        print_json(asdict(loaded))
    else:
        _say_loaded(loaded)


def _say_loaded(loaded: Loaded) -> None:
    click.echo(
        f"sample unit: {loaded.people} people, {loaded.dogs} dogs, {loaded.projects} projects, "
        f"{loaded.days} days of duty, {loaded.notifications} notifications, {loaded.runs} runs"
    )
    click.echo(f"sample sign-in {loaded.accounts[0]} {loaded.password}")
    click.echo(f"(the same password for {', '.join(loaded.accounts[1:])})")


@click.command("scheduler")
@with_appcontext
@handles_errors
def scheduler() -> None:
    """Execute jobs in a process of its own.

    With JOBS_SCHEDULER=standalone, given to the web server too, it alone starts what is due.
    Ctrl-C ends it: running jobs are finished or given back.
    """
    settings = current_settings()
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    service = EngineService(app, "scheduler", ticks=settings.jobs_scheduler == "standalone")
    told = _pipe_of_signals()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    service.start()
    click.echo("ready scheduler")
    os.read(told, 1)
    service.stop()


def _pipe_of_signals() -> int:
    """Where a byte can be read for each signal that comes, whichever thread it comes to.

    One that comes to another thread would not wake this one from waiting for an event.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    return reading
