"""Hang people into the application."""

from flask import Flask

from k9ops.core.i18n import lazy_gettext as _l
from k9ops.people.views import bp, find_people, person_of_user
from k9ops.web.nav import nav_item
from k9ops.web.panels import add_panel
from k9ops.web.searching import add_finder


def init_people(app: Flask) -> None:
    """The pages of people, and what a search finds."""
    app.register_blueprint(bp)
    nav_item("people.index", _l("People"), "users", "people.view", "unit")
    add_finder("people.index", find_people)
    add_panel("user", "people/_of_user.html", "people.view", person_of_user)
