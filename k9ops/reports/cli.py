"""The command generate-report."""

from functools import partial
from pathlib import Path

import click

from k9ops.audit.services import COMMAND_LINE
from k9ops.core.console import Command, handles_errors, json_option, pairs
from k9ops.core.errors import BadInput
from k9ops.core.files import write_whole
from k9ops.core.i18n import LANGUAGES
from k9ops.jobs import dispatch
from k9ops.jobs.answers import answer, tell_trouble, wait_for
from k9ops.jobs.models import JobRun
from k9ops.jobs.states import State
from k9ops.projects.scope import EVERYTHING
from k9ops.reports import queries, services


@click.command("generate-report", cls=Command)
@click.argument("key")
@click.option("--arg", "given", multiple=True, metavar="K=V", help="An argument of the report.")
@click.option(
    "--format", "kind", type=click.Choice(["pdf"]), default="pdf", help="The kind of file."
)
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="Where to write it."
)
@click.option(
    "--lang", type=click.Choice(LANGUAGES), default=LANGUAGES[0], show_default=True,
    help="The language of the document.",
)  # fmt: skip
@json_option
@handles_errors
def generate_report(
    key: str, given: tuple[str, ...], kind: str, output: Path, lang: str, *, as_json: bool
) -> None:
    """Make the report KEY, wait for it, and write it to a file.

    KEY is duty_schedule (project, date) or monthly_attendance (project, month). Without --arg the
    project is the first open one, the day or month the present one. The document is kept and
    listed too. Exit code 0 when it is written, 1 when it failed.
    """
    _check_place(output)
    arguments = services.checked(key, pairs(given), lang)
    run = wait_for(dispatch(queries.MAKE_DOCUMENT, arguments, requested_by=COMMAND_LINE.name))
    if run.state == State.SUCCEEDED:
        _write(run, output)
    answer(run, partial(_tell, output), as_json=as_json)


def _check_place(output: Path) -> None:
    """A wrong place is told before the work, not after it."""
    if output.is_dir() or not output.absolute().parent.is_dir():
        what = "is a folder" if output.is_dir() else "is in no folder that exists"
        hint = "Give the name of a file in a folder that exists."
        raise BadInput(f"{output} {what}.", field="output", hint=hint)


def _write(run: JobRun, output: Path) -> None:
    document = queries.get_document(EVERYTHING, (run.result or {})["document"])
    content = queries.file_of(document).read_bytes()
    try:
        write_whole(output.absolute(), content)
    except OSError as error:
        hint = "Give another file. The document itself is made and kept."
        text = f"{output}: {error.strerror}."
        raise BadInput(text, code="not_written", field="output", hint=hint) from error


def _tell(output: Path, run: JobRun) -> None:
    if run.state == State.SUCCEEDED:
        result = run.result or {}
        pages = "1 page" if result["pages"] == 1 else f"{result['pages']:,} pages"
        click.echo(f"Wrote {output}: {pages}, {result['bytes']:,} bytes.")
    else:
        tell_trouble(run)
