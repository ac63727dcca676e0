"""`flask dual-run`: both paths side by side, and whether the fallback is still needed."""

from typing import Any

import click
from flask.cli import with_appcontext

from k9ops.core.console import Command, handles_errors, json_option, print_json, table
from k9ops.monitoring.dual_run import Figures, Review, review, trial
from k9ops.monitoring.dual_run_words import VERDICTS, document, judge, share
from k9ops.web import formats

_COLUMNS = ["path", "reason", "runs", "success", "wait", "slowest wait", "took", "slowest took"]


@click.command("dual-run", cls=Command)
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    default=30,
    show_default=True,
    help="Days of the unit's calendar, today included.",
)
@json_option
@with_appcontext
@handles_errors
def dual_run(days: int, *, as_json: bool) -> None:
    """Compare Celery with the application, and judge whether the fallback is still needed.

    The slowest twentieth of the runs waited or took at least as long as the columns "slowest" say.
    """
    found = review(days)
    if as_json:
        print_json(document(found))
    else:
        _tell(found)


def _tell(found: Review) -> None:
    table([_row(*key, figures) for key, figures in found.by_reason.items()], _COLUMNS)
    judged = judge(trial(found.groups))
    click.echo(f"\n{found.first} to {found.last}: {VERDICTS[judged.code].text}. {judged.text}")
    for reason in judged.because:
        click.echo(f"- {reason}")


def _row(path: str, reason: str | None, figures: Figures) -> dict[str, Any]:
    wait, duration = figures.wait, figures.duration
    return {
        "path": path,
        "reason": reason,
        "runs": figures.runs,
        "success": share(figures.succeeded, figures.runs),
        "wait": _milliseconds(wait.p50),
        "slowest wait": _milliseconds(wait.p95),
        "took": _milliseconds(duration.p50),
        "slowest took": _milliseconds(duration.p95),
    }


def _milliseconds(value: float | None) -> str | None:
    return None if value is None else formats.fine(value)
