"""Commands about people: first administrator, passwords, API tokens."""

import sys

import click
from flask.cli import with_appcontext

from k9ops.accounts import api_tokens, services, two_step
from k9ops.accounts.permissions import Role
from k9ops.accounts.queries import get_user
from k9ops.audit.services import COMMAND_LINE
from k9ops.core.console import Command, handles_errors, json_option, print_json
from k9ops.core.db import db
from k9ops.core.errors import BadInput
from k9ops.core.settings import current_settings


@click.command("create-admin", cls=Command)
@json_option
@with_appcontext
@handles_errors
def create_admin(*, as_json: bool) -> None:
    """Make an administrator.

    Name and password are those of ADMIN_USERNAME and ADMIN_PASSWORD if the latter is set;
    else they are asked for, the password without showing it.
    """
    settings = current_settings()
    username, password = settings.admin_username, settings.admin_password
    if not password:
        if sys.stdin.isatty():
            username = click.prompt("Name", default=username, err=True)
        password = _ask_password(hint="Or set ADMIN_PASSWORD.")
    new = services.NewUser(username, password, Role.ADMINISTRATOR)
    user = services.create_user(new, actor=COMMAND_LINE)
    if as_json:
        print_json({"id": user.id, "username": user.username, "role": user.role})
    else:
        click.echo(f"Made the administrator {user.username}.")


@click.command("set-password", cls=Command)
@click.argument("username")
@json_option
@with_appcontext
@handles_errors
def set_password(username: str, *, as_json: bool) -> None:
    """Give USERNAME a new password.

    It ends their sessions and opens a locked name. The password is asked for without
    showing it, or read from standard input.
    """
    get_user(username)  # before anybody types a password for nobody
    db.session.rollback()
    user = services.set_password(username, _ask_password(), actor=COMMAND_LINE)
    if as_json:
        print_json({"username": user.username})
    else:
        click.echo(f"{user.username} has a new password.")


@click.command("create-token", cls=Command)
@click.argument("username")
@click.option("--name", default="command line", show_default=True, help="What it is for.")
@click.option("--days", type=click.IntRange(1, 3650), help="Good for so long; else for ever.")
@json_option
@with_appcontext
@handles_errors
def create_token(username: str, name: str, days: int | None, *, as_json: bool) -> None:
    """Make an API token for USERNAME and print it, this once."""
    text, token = api_tokens.create_token(username, name, days=days, actor=COMMAND_LINE)
    expires = token.expires_at and token.expires_at.isoformat()
    if as_json:
        print_json({"token": text, "name": name, "username": username, "expires_at": expires})
        return
    click.echo("Keep it safe: it is shown only now.", err=True)
    click.echo(text)


@click.command("revoke-token", cls=Command)
@click.argument("username")
@click.argument("name")
@json_option
@with_appcontext
@handles_errors
def revoke_token(username: str, name: str, *, as_json: bool) -> None:
    """End every token of USERNAME that is called NAME."""
    count = api_tokens.revoke_tokens(username, name, actor=COMMAND_LINE)
    if as_json:
        print_json({"username": username, "name": name, "revoked": count})
    else:
        click.echo(f"Revoked {count} of {username}'s tokens.")


@click.command("reset-two-step", cls=Command)
@click.argument("username")
@json_option
@with_appcontext
@handles_errors
def reset_two_step(username: str, *, as_json: bool) -> None:
    """Let USERNAME sign in by the password alone.

    For who has lost phone and recovery codes, and after SECRET_KEY was changed.
    """
    user = get_user(username)
    two_step.reset(user, actor=COMMAND_LINE)
    if as_json:
        print_json({"username": user.username})
    else:
        click.echo(f"{user.username} signs in by the password alone now.")


COMMANDS = (create_admin, set_password, create_token, revoke_token, reset_two_step)


def _ask_password(hint: str = "") -> str:
    """Typed twice without echo at a terminal, else one line of standard input."""
    if sys.stdin.isatty():
        password: str = click.prompt(
            "Password", hide_input=True, confirmation_prompt=True, err=True
        )
        return password
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        remedy = f"Run it at a terminal, or pipe the password in. {hint}".strip()
        raise BadInput("There is no password.", field="password", hint=remedy)
    return password
