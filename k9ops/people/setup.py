"""Hang people into the application."""

from flask import Flask

from k9ops.core.i18n import lazy_gettext as _l
from k9ops.people.views import bp
from k9ops.web.nav import nav_item


def init_people(app: Flask) -> None:
    """The pages of people."""
    app.register_blueprint(bp)
    nav_item("people.index", _l("People"), "users", "people.view", "unit")
