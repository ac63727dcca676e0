"""The command cleanup-notifications."""

import click

from k9ops.audit.services import COMMAND_LINE
from k9ops.core.console import Command, handles_errors, json_option, local
from k9ops.jobs import dispatch
from k9ops.jobs.answers import answer, tell_trouble, wait_for
from k9ops.jobs.models import JobRun
from k9ops.jobs.states import State
from k9ops.notifications.jobs import CLEAN_UP, MOST_DAYS


@click.command("cleanup-notifications", cls=Command)
@click.option("--dry-run", is_flag=True, help="Only count what would be deleted.")
@click.option(
    "--days",
    type=click.IntRange(1, MOST_DAYS),
    help="Read longer ago than this; NOTIFICATION_RETENTION_DAYS unless given.",
)
@json_option
@handles_errors
def cleanup_notifications(dry_run: bool, days: int | None, *, as_json: bool) -> None:
    """Delete notifications that were read long ago, and wait for the end.

    Unread ones stay. Exit code 0 when all are deleted, 3 when the time was up before, 1 when it
    failed.
    """
    given = {"dry_run": dry_run} if days is None else {"dry_run": dry_run, "days": days}
    run = dispatch(CLEAN_UP, given, requested_by=COMMAND_LINE.name)
    answer(wait_for(run), _tell, as_json=as_json)


def _tell(run: JobRun) -> None:
    if run.result:
        which = f"notifications read before {local(run.result['read_before'])}"
        if run.result["dry_run"]:
            click.echo(f"{run.result['left']:,} {which} would be deleted.")
        else:
            click.echo(f"Deleted {run.result['deleted']:,} {which}.")
    if run.state != State.SUCCEEDED:
        tell_trouble(run)
