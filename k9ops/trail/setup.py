"""Hang the audit log into the application."""

from flask import Flask

from k9ops.core.i18n import lazy_gettext as _l
from k9ops.trail.views import bp
from k9ops.web.nav import nav_item


def init_trail(app: Flask) -> None:
    """The page and its place in the navigation."""
    app.register_blueprint(bp)
    nav_item("trail.index", _l("Audit log"), "scroll-text", "audit.view", "admin")
