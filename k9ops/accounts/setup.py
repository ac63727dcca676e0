"""Hang accounts into the application."""

from flask import Flask

from k9ops.accounts.account_views import account
from k9ops.accounts.cli import COMMANDS
from k9ops.accounts.password_link_views import links
from k9ops.accounts.sessions import init_sessions
from k9ops.accounts.two_step_views import own_two_step
from k9ops.accounts.user_views import users
from k9ops.accounts.views import bp
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.web.nav import nav_item


def init_accounts(app: Flask) -> None:
    """Sessions, the door, one's own account, the users, and the commands about people."""
    init_sessions(app)
    for pages in (bp, links, account, own_two_step, users):
        app.register_blueprint(pages)
    nav_item("users.index", _l("Users"), "user-check", "users.view", "admin")
    for command in COMMANDS:
        app.cli.add_command(command)
