"""The command lock-schedules."""

import click

from k9ops.audit.services import COMMAND_LINE
from k9ops.core.console import (
    FAILED,
    SUCCEEDED,
    Command,
    exit_with,
    handles_errors,
    json_option,
    print_json,
    prints_aside,
)
from k9ops.jobs import dispatch
from k9ops.jobs.foreground import run_here
from k9ops.jobs.models import JobRun
from k9ops.jobs.queries import run_document
from k9ops.jobs.states import State
from k9ops.schedules.jobs import AUTO_LOCK


@click.command("lock-schedules", cls=Command)
@json_option
@handles_errors
def lock_schedules(*, as_json: bool) -> None:
    """Lock every open day of duty that is over, now, and wait for the end.

    Exit code 0 when they are locked, 1 when it failed.
    """
    run = dispatch(AUTO_LOCK, requested_by=COMMAND_LINE.name)
    with prints_aside():
        run = run_here(run.id)
    if as_json:
        print_json(run_document(run))
    else:
        _tell(run)
    exit_with(SUCCEEDED if run.state == State.SUCCEEDED else FAILED)


def _tell(run: JobRun) -> None:
    if run.state == State.SUCCEEDED:
        click.echo(f"Locked {(run.result or {}).get('locked', 0)} days of duty.")
        return
    click.secho(f"The run {run.id} is {run.state}.", err=True, fg="red")
    if run.error_message:
        click.echo(run.error_message, err=True)
