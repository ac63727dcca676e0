"""Hang people into the application."""

from flask import Flask

from k9ops.core.i18n import lazy_gettext as _l
from k9ops.people.views import bp, person_of_user
from k9ops.web.nav import nav_item
from k9ops.web.panels import add_panel


def init_people(app: Flask) -> None:
    """The pages of people."""
    app.register_blueprint(bp)
    nav_item("people.index", _l("People"), "users", "people.view", "unit")
    add_panel("user", "people/_of_user.html", "people.view", person_of_user)
