"""Hang the page of settings into the application."""

from flask import Flask

from k9ops.core.i18n import lazy_gettext as _l
from k9ops.settings.views import bp
from k9ops.web.nav import nav_item


def init_settings_page(app: Flask) -> None:
    """The page and its place in the navigation."""
    app.register_blueprint(bp)
    nav_item("settings.page", _l("Settings"), "settings", "settings.view", "admin")
