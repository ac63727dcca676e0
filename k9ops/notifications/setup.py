"""Hang notifications into the application."""

from flask import Flask

from k9ops.accounts.sessions import signed_in_user
from k9ops.notifications.queries import unread_count
from k9ops.notifications.views import bp
from k9ops.web.nav import show_bell


def init_notifications(app: Flask) -> None:
    """The page and the bell."""
    app.register_blueprint(bp)
    show_bell("notifications.list_notifications", _unread)


def _unread() -> int:
    user = signed_in_user()
    return unread_count(user.id) if user else 0
