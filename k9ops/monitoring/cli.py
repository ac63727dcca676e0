"""`flask jobs …`: what the pages do, from the command line."""

import re
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy import select
from sqlalchemy.orm import selectinload, undefer

from k9ops.core.clock import read_now
from k9ops.core.console import (
    SUCCEEDED,
    Command,
    exit_with,
    handles_errors,
    json_option,
    local,
    pairs,
    print_json,
    table,
)
from k9ops.core.db import db
from k9ops.core.errors import BadInput
from k9ops.core.settings import current_settings
from k9ops.jobs.answers import exit_code, wait_for
from k9ops.jobs.models import JobEvent, JobRun, PeriodicTask
from k9ops.jobs.queries import (
    RunFilter,
    events_of,
    get_run,
    job_documents,
    list_runs,
    run_document,
)
from k9ops.jobs.registry import get_job
from k9ops.jobs.states import ACTIVE, Path, Reason, State
from k9ops.jobs.versions import terms_of
from k9ops.monitoring import services

_COLUMNS = ["id", "job", "state", "path", "reason", "queued", "took"]

jobs = AppGroup("jobs", help="Jobs and their runs.")

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@jobs.command("list", cls=Command)
@json_option
@handles_errors
def list_jobs(*, as_json: bool) -> None:
    """All jobs and periodic tasks: trigger, next due times, last run."""
    documents = job_documents()
    if as_json:
        print_json(documents)
        return
    columns = ["name", "queue", "enabled", "trigger", "next", "last run"]
    table([_job_row(document) for document in documents], columns)


@jobs.command("run", cls=Command)
@click.argument("name")
@click.option("--arg", "given", multiple=True, metavar="K=V", help="An argument of the job.")
@click.option(
    "--via", default="auto", show_default=True, help="auto, celery (needs a worker) or here."
)
@click.option("--key", help="The same key gives the same run.")
@click.option("--wait", is_flag=True, help="Wait for the end also on Celery.")
@click.option("--timeout", type=click.FloatRange(min=0), help="Wait so many seconds for Celery.")
@json_option
@handles_errors
def run_job(
    name: str,
    given: tuple[str, ...],
    via: str,
    key: str | None,
    timeout: float | None,
    *,
    wait: bool,
    as_json: bool,
) -> None:
    """Start job NAME.

    What falls back here is executed in the foreground, to its end; Ctrl-C cancels it.
    """
    arguments = get_job(name).parse_arguments(pairs(given))
    run, _is_new = services.start_once(name, arguments, key=key, via=via)
    if run.state in ACTIVE and run.path == Path.CELERY and not current_settings().celery_on:
        click.echo("Celery is switched off; the run waits until it is on.", err=True)
    waited = run.path == Path.IN_PROCESS or wait or timeout is not None
    if waited:
        run = wait_for(run, timeout=timeout)
    run = get_run(run.id)
    _print_run(run, as_json=as_json)
    if run.state == State.QUEUED and not waited and not as_json:
        click.echo(f"\nQueued on Celery. `flask jobs show {run.id}` tells how it goes.")
    exit_with(_exit_code(run, waited=waited))


@jobs.command("schedule", cls=Command)
@click.argument("name")
@click.option("--cron", metavar="EXPR", help='Five crontab fields, e.g. "0 2 * * *".')
@click.option("--every", type=float, metavar="S", help="An interval in seconds.")
@click.option("--timezone", metavar="ZONE", help="Clock of the crontab; by default the unit's.")
@click.option("--misfire", help="What becomes of a gap: latest, each or skip.")
@click.option("--overlap", help="While the one before is active: allow or skip.")
@json_option
@handles_errors
def schedule(name: str, *, as_json: bool, **policy: Any) -> None:
    """Let NAME come due by itself from now on, by --cron or --every."""
    _print_task(services.schedule(name, **policy), as_json=as_json)


@jobs.command("pause", cls=Command)
@click.argument("name")
@json_option
@handles_errors
def pause(name: str, *, as_json: bool) -> None:
    """Keep NAME from coming due until it is resumed."""
    _print_task(services.pause(name), as_json=as_json)


@jobs.command("resume", cls=Command)
@click.argument("name")
@json_option
@handles_errors
def resume(name: str, *, as_json: bool) -> None:
    """Let NAME come due again, from now on; nothing is caught up."""
    _print_task(services.resume(name), as_json=as_json)


@jobs.command("runs", cls=Command)
@click.option("--job", default="", help="Runs of this job.")
@click.option("--state", "states", multiple=True, help="In this state; may be given again.")
@click.option("--path", default="", help="celery or in_process.")
@click.option("--reason", default="", help="Why it ran in process, e.g. celery_off.")
@click.option("--since", metavar="WHEN", help="2h, 7d, or an instant such as 2026-11-20T06:30.")
@click.option("--limit", type=click.IntRange(1, 1000), default=25, show_default=True)
@click.option("--before", metavar="RUN", help="Older than this run: the `next` of a page.")
@json_option
@handles_errors
def list_all_runs(
    since: str | None, limit: int, before: str | None, *, as_json: bool, **words: Any
) -> None:
    """Runs, newest first."""
    for name, known in (("states", State), ("path", Path), ("reason", Reason)):
        _check_words(name, words[name], known)
    wanted = RunFilter(since=_instant(since) if since else None, **words)
    page = list_runs(wanted, limit=limit, before=before)
    if as_json:
        documents = [run_document(run) for run in _whole(page.items)]
        print_json({"runs": documents, "next": page.older})
        return
    table([_run_row(run) for run in page.items], _COLUMNS)
    if not page.items:
        click.echo("No run matches.", err=True)


@jobs.command("show", cls=Command)
@click.argument("run")
@json_option
@handles_errors
def show(run: str, *, as_json: bool) -> None:
    """One run: attempts, timeline, error or result."""
    found = get_run(run)
    _print_run(found, as_json=as_json)
    if not as_json:
        click.echo()
        table([_event_row(event) for event in events_of(found.id)], ["at", "event", "state", "by"])


@jobs.command("cancel", cls=Command)
@click.argument("run")
@json_option
@handles_errors
def cancel(run: str, *, as_json: bool) -> None:
    """Cancel a waiting run at once; ask a running one to stop."""
    found = services.cancel(run)
    _print_run(found, as_json=as_json)
    if found.state in ACTIVE:
        click.echo("It was asked to stop, and does at its next step.", err=True)


@jobs.command("retry", cls=Command)
@click.argument("run")
@json_option
@handles_errors
def retry(run: str, *, as_json: bool) -> None:
    """Give an ended run one more attempt.

    What falls back here is executed in the foreground, to its end; Ctrl-C cancels it.
    """
    found = services.retry(run)
    waited = found.path == Path.IN_PROCESS
    if waited:
        found = wait_for(found)
    _print_run(get_run(found.id), as_json=as_json)
    exit_with(_exit_code(found, waited=waited))


@jobs.command("purge", cls=Command)
@click.argument("queue")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@handles_errors
def purge(queue: str, *, yes: bool, as_json: bool) -> None:
    """Remove the messages of Celery's QUEUE.

    They are only hints. The runs they stand for stay queued; those still waiting are sent again,
    or run here where the fallback is on.
    """
    services.check_queue(queue)
    if not yes:
        _ask_to_purge(queue)
    count = services.purge(queue)
    if as_json:
        print_json({"queue": queue, "removed": count})
        return
    click.echo(f"{count} message{'' if count == 1 else 's'} removed from {queue}.")
    click.echo("No run was removed: those still waiting are sent again, or run here.")


def _ask_to_purge(queue: str) -> None:
    """Tell what it means and have the queue's name typed.

    Raises:
        BadInput: it was not typed, or nobody is there to type it.
    """
    click.echo(
        f"This removes all messages in {queue}; their runs stay and are sent again.", err=True
    )
    typed = ""
    if sys.stdin.isatty():
        typed = click.prompt(f'Type "{queue}" to go on', default="", show_default=False, err=True)
    if typed.strip() != queue:
        hint = "Type the queue's name at a terminal, or give --yes."
        raise BadInput("Nothing was removed: not confirmed.", code="not_confirmed", hint=hint)


def _whole(runs: Sequence[JobRun]) -> Sequence[JobRun]:
    """The same runs with all that their documents hold, read in two statements."""
    wanted = select(JobRun).where(JobRun.id.in_([run.id for run in runs]))
    complete = wanted.options(
        selectinload(JobRun.attempts), undefer(JobRun.result), undefer(JobRun.error_traceback)
    )
    db.session.scalars(complete.execution_options(populate_existing=True)).all()
    return runs


def _check_words(field: str, given: str | tuple[str, ...], known: Iterable[str]) -> None:
    words = [str(word) for word in known]
    for word in [given] if isinstance(given, str) else given:
        if word and word not in words:
            hint = f"Use {', '.join(words)}."
            raise BadInput(f"Unknown {field.rstrip('s')} {word!r}.", field=field, hint=hint)


def _instant(text: str) -> datetime:
    """`2h` ago, or an ISO instant; without an offset it is read on the unit's clock."""
    try:
        return _read_instant(text).astimezone(UTC)
    except (ValueError, OverflowError):
        hint = "Write 90s, 30m, 2h, 7d, 4w, or an instant such as 2026-11-20T06:30."
        raise BadInput(f"{text!r} is no time.", field="since", hint=hint) from None


def _read_instant(text: str) -> datetime:
    span = re.fullmatch(r"(\d+)([smhdw])", text)
    if span:
        return read_now(db.session()) - timedelta(**{_UNITS[span[2]]: int(span[1])})
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=current_settings().zone)


def _exit_code(run: JobRun, *, waited: bool) -> int:
    """Of a run that was not waited for, being queued is what was asked."""
    if run.state in ACTIVE and not waited:
        return SUCCEEDED
    return exit_code(run)


def _print_run(run: JobRun, *, as_json: bool) -> None:
    if as_json:
        print_json(run_document(run))
        return
    table([_run_row(run)], _COLUMNS)
    if run.attempts:
        click.echo()
        table([_attempt_row(a) for a in run.attempts], ["attempt", "outcome", "path", "executor"])
    for label, text in (("Error", run.error_message), ("Result", run.text or run.result)):
        if text:
            click.echo(f"\n{label}: {text}")


def _print_task(task: PeriodicTask, *, as_json: bool) -> None:
    due = task.next_due_at if task.enabled else None
    trigger = terms_of(task)
    if as_json:
        document = {"name": task.name, "enabled": task.enabled, "trigger": trigger}
        print_json(document | {"next": due.isoformat() if due else None})
        return
    state = f"next due {local(due)}" if due else "paused" if not task.enabled else "never due"
    click.echo(f"{task.name}: {_trigger_text(trigger)}; {state}")


def _job_row(document: dict[str, Any]) -> dict[str, Any]:
    trigger, last = document["trigger"], document["last_run"]
    return {
        "name": document["name"],
        "queue": document["queue"],
        "enabled": {True: "yes", False: "paused", None: None}[document["enabled"]],
        "trigger": trigger and _trigger_text(trigger),
        "next": local(document["next"][0]) if document["next"] else None,
        "last run": last and f"{last['state']} {local(last['queued_at'])}",
    }


def _run_row(run: JobRun) -> dict[str, Any]:
    took = None if run.duration_ms is None else f"{run.duration_ms / 1000:.1f} s"
    plain = {name: getattr(run, name) for name in ("id", "job", "state", "path", "reason")}
    return plain | {"queued": local(run.queued_at), "took": took}


def _event_row(event: JobEvent) -> dict[str, Any]:
    moved = {"event": event.kind, "state": event.to_state, "by": event.actor}
    return {"at": local(event.at)} | moved


def _attempt_row(attempt: Any) -> dict[str, Any]:
    names = ("outcome", "path", "executor")
    return {"attempt": attempt.number} | {name: getattr(attempt, name) for name in names}


def _trigger_text(trigger: dict[str, Any]) -> str:
    if trigger["cron"] is None:
        return f"every {trigger['every_seconds']:g} s"
    return f"{trigger['cron']} ({trigger['timezone']})"
