"""What all commands share: `--json` prints one document, errors name the remedy, exit codes."""

import functools
import json
import os
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, redirect_stdout
from datetime import datetime
from typing import Any, NoReturn, ParamSpec, TypeVar

import click
from sqlalchemy.exc import DatabaseError, ProgrammingError

from k9ops.core.errors import BadInput, K9Error, Unavailable
from k9ops.core.settings import current_settings

P = ParamSpec("P")
R = TypeVar("R")

_SEE_HELP = "The command's --help shows how it is used."
SUCCEEDED, FAILED, USAGE, PARTIAL = 0, 1, 2, 3

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def print_json(document: object) -> None:
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


class Command(click.Command):
    """A command whose wrong usage, too, is one JSON document when `--json` was given."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        as_json = "--json" in args
        try:
            _check_encoding(args)
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            if not as_json:
                raise
            parameter = getattr(error, "param", None)
            field = parameter.name if parameter else None
            wrong = BadInput(error.format_message(), code="usage", field=field, hint=_SEE_HELP)
            _fail(wrong, as_json=True)


def _check_encoding(args: list[str]) -> None:
    """No database takes what is no text."""
    try:
        "".join(args).encode()
    except UnicodeEncodeError:
        raise click.UsageError("An argument is not valid UTF-8.") from None


def handles_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Turn the product's errors into a message (or an error document) and the right exit code."""

    @functools.wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except K9Error as error:
            _fail(error, as_json=bool(kwargs.get("as_json")))
        except DatabaseError as error:
            _fail(_database_error(error), as_json=bool(kwargs.get("as_json")))

    return wrapper


@contextmanager
def ends_start() -> Generator[None]:
    """In the block that starts a process, the product's errors end it with one line and 2."""
    try:
        yield
    except K9Error as error:
        if "--json" in sys.argv:
            print_json(error.as_dict())
        else:
            click.echo(f"{error.message} {error.hint}".strip(), err=True)
        raise SystemExit(USAGE) from None


def _database_error(error: DatabaseError) -> K9Error:
    text = str(error.orig).strip().splitlines()[0]
    is_undefined = isinstance(error, ProgrammingError) and "does not exist" in text
    if is_undefined or "no such table" in text:
        hint = "Run `flask db upgrade`, then try again."
        return Unavailable(f"The database lacks its tables: {text}", code="no_tables", hint=hint)
    hint = "Check DATABASE_URL and that the server runs."
    return Unavailable(f"The database cannot be used: {text}", code="no_database", hint=hint)


def _fail(error: K9Error, *, as_json: bool) -> NoReturn:
    if as_json:
        print_json(error.as_dict())
    else:
        click.secho(f"Error: {error.message}", err=True, fg="red")
        if error.hint:
            click.echo(error.hint, err=True)
    raise click.exceptions.Exit(error.exit_code)


@contextmanager
def prints_aside() -> Generator[None]:
    """What a job prints in the block, itself or by its programs, goes to stderr: not our answer."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def exit_with(code: int) -> NoReturn:
    """End the command with `code` after it has printed its answer."""
    raise click.exceptions.Exit(code)


def pairs(given: Iterable[str]) -> dict[str, str]:
    """The texts of `--arg k=v`, by name.

    Raises:
        BadInput: one has no value.
    """
    parts = [text.partition("=") for text in given]
    for name, sign, _value in parts:
        if not (name and sign):
            raise BadInput(f"--arg {name!r} has no value.", field="arg", hint="Write --arg k=v.")
    return {name: value for name, _sign, value in parts}


def local(instant: datetime | str | None) -> str | None:
    """An instant, or its ISO text, on the unit's clock."""
    if instant is None:
        return None
    at = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return f"{at.astimezone(current_settings().zone):%Y-%m-%d %H:%M:%S}"


def table(rows: list[dict[str, Any]], columns: list[str]) -> None:
    """Print rows as columns wide enough for their values."""
    texts = [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *texts, strict=True)]
    for line in [[column.upper() for column in columns], *texts]:
        click.echo("  ".join(map(str.ljust, line, widths)).rstrip())


def _cell(value: object) -> str:
    return "-" if value is None else str(value)
