"""Hang kennel into the application."""

from flask import Flask

from k9ops.core.i18n import lazy_gettext as _l
from k9ops.kennel.views import bp, dogs_of_person, find_dogs
from k9ops.web.nav import nav_item
from k9ops.web.panels import add_panel
from k9ops.web.searching import add_finder


def init_kennel(app: Flask) -> None:
    """The pages of dogs, what a search finds, and the dogs on a person's page."""
    app.register_blueprint(bp)
    nav_item("kennel.index", _l("Dogs"), "dog", "dogs.view", "unit")
    add_finder("kennel.index", find_dogs)
    add_panel("person", "kennel/_of_person.html", "dogs.view", dogs_of_person, aside=True)
