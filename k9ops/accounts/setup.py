"""Hang accounts into the application."""

from flask import Flask

from k9ops.accounts.cli import COMMANDS
from k9ops.accounts.sessions import init_sessions
from k9ops.accounts.views import bp


def init_accounts(app: Flask) -> None:
    """Sessions, the door's pages, and the commands about people."""
    init_sessions(app)
    app.register_blueprint(bp)
    for command in COMMANDS:
        app.cli.add_command(command)
