"""Hang projects into the application."""

from flask import Flask

from k9ops.core.i18n import lazy_gettext as _l
from k9ops.kennel.models import Dog
from k9ops.people.models import Person
from k9ops.people.sight import limit_sight
from k9ops.projects.assignment_views import assignments
from k9ops.projects.queries import dogs_seen_by, people_seen_by
from k9ops.projects.scope import current_viewer
from k9ops.projects.views import bp, find_projects, projects_of_dog, projects_of_person
from k9ops.web.nav import nav_item
from k9ops.web.panels import add_panel
from k9ops.web.searching import add_finder


def init_projects(app: Flask) -> None:
    """The pages of projects, what a search finds, and the sight of people and dogs."""
    app.register_blueprint(bp)
    app.register_blueprint(assignments)
    nav_item("projects.index", _l("Projects"), "map-pin", "projects.view", "unit")
    add_finder("projects.index", find_projects)
    limit_sight(Person, lambda: people_seen_by(current_viewer()))
    limit_sight(Dog, lambda: dogs_seen_by(current_viewer()))
    add_panel("person", "projects/_of.html", "projects.view", projects_of_person, aside=True)
    add_panel("dog", "projects/_of.html", "projects.view", projects_of_dog, aside=True)
