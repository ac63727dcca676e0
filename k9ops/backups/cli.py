"""Commands: run-backup, list-backups, verify-backup, restore-backup."""

import sys
from typing import Any

import click

from k9ops.audit.services import COMMAND_LINE
from k9ops.backups import queries, restoring, services
from k9ops.backups.jobs import RUN_BACKUP
from k9ops.core.console import Command, handles_errors, json_option, local, print_json, table
from k9ops.core.errors import BadInput
from k9ops.jobs import dispatch
from k9ops.jobs.answers import answer, tell_trouble, wait_for
from k9ops.jobs.choosing import only_celery
from k9ops.jobs.models import JobRun
from k9ops.jobs.states import State, Via

#: How long a run that only a worker may execute waits for one.
WORKER_PATIENCE_SECONDS = 60.0
CONFIRMATION = "restore"


@click.command("run-backup", cls=Command)
@click.option("--upload/--no-upload", default=True, help="Upload it too, where that is set up.")
@click.option(
    "--via",
    type=click.Choice([str(via) for via in Via]),
    default=str(Via.AUTO),
    show_default=True,
    help="Celery first, Celery only (needs a worker), or this process.",
)
@json_option
@handles_errors
def run_backup(upload: bool, via: str, *, as_json: bool) -> None:
    """Back the database up now, and wait for the end.

    Exit code 0 when the backup is made and uploaded, where that is set up and wanted; 3 when it is
    made but not uploaded; 1 when it failed or no worker took it in time.
    """
    run = dispatch(RUN_BACKUP, {"upload": upload}, via=via, requested_by=COMMAND_LINE.name)
    run = _on_a_worker(run) if only_celery(via) else wait_for(run)
    answer(run, _tell, as_json=as_json)


def _on_a_worker(run: JobRun) -> JobRun:
    run = wait_for(run, timeout=WORKER_PATIENCE_SECONDS)
    return wait_for(run) if run.state == State.RUNNING else run


def _tell(run: JobRun) -> None:
    if run.state == State.SUCCEEDED:
        result: dict[str, Any] = run.result or {}
        click.echo(f"Made {result.get('file')}: {result.get('rows'):,} rows.")
        if result.get("uploaded"):
            click.echo("Uploaded it to Google Drive; the checksum there is the same.")
        for place, key in (("", "removed"), (" on Google Drive", "removed_on_drive")):
            for file in result.get(key, []):
                click.echo(f"Removed {file}{place}: no rule of retention keeps it.")
        return
    tell_trouble(run)
    if run.state == State.QUEUED:
        click.echo(
            "No worker took it yet. Wait on, or take it back: `flask jobs cancel RUN`.", err=True
        )


@click.command("list-backups", cls=Command)
@json_option
@handles_errors
def list_backups(*, as_json: bool) -> None:
    """List the backups in BACKUP_DIR, newest first."""
    documents = [backup.as_dict() for backup in queries.folder().backups()]
    if as_json:
        print_json(documents)
    elif documents:
        columns = ["file", "bytes", "created", "database", "uploaded", "verified"]
        table([_row(document) for document in documents], columns)
    else:
        click.echo(f"There is no backup in {queries.folder().path}.", err=True)


def _row(document: dict[str, Any]) -> dict[str, Any]:
    return document | {
        "created": local(document["created_at"]),
        "uploaded": "yes" if document["uploaded"] else "no",
        "verified": local(document["verified_at"]),
    }


@click.command("verify-backup", cls=Command)
@click.argument("file")
@json_option
@handles_errors
def verify_backup(file: str, *, as_json: bool) -> None:
    """Decode the whole of FILE and compare it with its manifest.

    FILE is a path, a name in BACKUP_DIR, or "latest".
    """
    backup = services.verify_backup(file)
    if as_json:
        print_json({**backup.as_dict(), "verified": True, "tables": backup.manifest.tables})
    else:
        click.echo(f"{backup.file} is whole: {backup.rows:,} rows, as its manifest says.")


@click.command("restore-backup", cls=Command)
@click.argument("file")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@handles_errors
def restore_backup(file: str, yes: bool, *, as_json: bool) -> None:
    """Put FILE in the place of the present data.

    FILE is a path, a name in BACKUP_DIR, or "latest". The database of DATABASE_URL may be missing,
    empty or filled. What is live is backed up first; it becomes wholly new or, if anything goes
    wrong, stays wholly as it was.
    """
    if not yes:
        _ask(restoring.preview_restore(file))
    done = restoring.restore_backup(file)
    if as_json:
        print_json(done)
        return
    click.echo(
        f"Restored {done['file']}, the data of {local(done['created_at'])}: {done['rows']:,} rows."
    )
    if done["safety_backup"]:
        click.echo(f"What was live before is kept in {done['safety_backup']}.")


def _ask(preview: restoring.Preview) -> None:
    """Tell what is lost and have the word typed.

    Raises:
        BadInput: it was not typed, or nobody is there to type it.
    """
    taken = local(preview.backup.created_at)
    click.echo(f"{preview.backup.file} holds the data of {taken}.", err=True)
    if preview.live_tables:
        click.echo(
            f"All that was written since then leaves the live database ({preview.live_tables}"
            " tables). A safety backup of it is made first.",
            err=True,
        )
    typed = ""
    if sys.stdin.isatty():
        asked = f'Type "{CONFIRMATION}" to go on'
        typed = click.prompt(asked, default="", show_default=False, err=True)
    if typed.strip() != CONFIRMATION:
        hint = f'Type "{CONFIRMATION}" at a terminal, or give --yes.'
        raise BadInput("Nothing was restored: not confirmed.", code="not_confirmed", hint=hint)


COMMANDS = (run_backup, list_backups, verify_backup, restore_backup)
