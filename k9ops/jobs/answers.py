"""How a command that waits for a run answers: one document or its own words, and an exit code."""

from collections.abc import Callable
from typing import NoReturn

import click

from k9ops.core.console import FAILED, PARTIAL, SUCCEEDED, exit_with, print_json, prints_aside
from k9ops.jobs.foreground import run_here
from k9ops.jobs.models import JobRun
from k9ops.jobs.queries import run_document
from k9ops.jobs.states import State

_EXIT_CODES = {State.SUCCEEDED: SUCCEEDED, State.PARTIAL: PARTIAL}


def wait_for(run: JobRun, timeout: float | None = None) -> JobRun:
    """The run at its end, see `run_here`; what its job prints is no answer of the command."""
    with prints_aside():
        return run_here(run.id, timeout=timeout)


def exit_code(run: JobRun) -> int:
    """Of a command that waited for the run."""
    return _EXIT_CODES.get(State(run.state), FAILED)


def answer(run: JobRun, tell: Callable[[JobRun], None], *, as_json: bool) -> NoReturn:
    """Print the run's document, or let `tell` say it in words, and end the command."""
    if as_json:
        print_json(run_document(run))
    else:
        tell(run)
    exit_with(exit_code(run))


def tell_trouble(run: JobRun) -> None:
    """Say how a run ended that did not succeed, and why."""
    click.secho(f"The run {run.id} is {run.state}.", err=True, fg="red")
    if why := run.error_message or run.text:
        click.echo(why, err=True)
