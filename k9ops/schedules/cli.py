"""The command lock-schedules."""

import click

from k9ops.audit.services import COMMAND_LINE
from k9ops.core.console import Command, handles_errors, json_option
from k9ops.jobs import dispatch
from k9ops.jobs.answers import answer, tell_trouble, wait_for
from k9ops.jobs.models import JobRun
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
    answer(wait_for(run), _tell, as_json=as_json)


def _tell(run: JobRun) -> None:
    if run.state == State.SUCCEEDED:
        click.echo(f"Locked {(run.result or {}).get('locked', 0)} days of duty.")
    else:
        tell_trouble(run)
