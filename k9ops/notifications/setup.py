"""Hang notifications into the application."""

from flask import Flask

from k9ops.accounts.sessions import signed_in_user
from k9ops.notifications.cli import cleanup_notifications
from k9ops.notifications.listeners import init_listeners
from k9ops.notifications.queries import unread_count
from k9ops.notifications.views import bp
from k9ops.web.nav import show_bell


def init_notifications(app: Flask) -> None:
    """The page, the bell, the command, and what people are told of their accounts."""
    app.register_blueprint(bp)
    init_listeners()
    app.cli.add_command(cleanup_notifications)
    show_bell("notifications.list_notifications", _unread)


def _unread() -> int:
    user = signed_in_user()
    return unread_count(user.id) if user else 0
