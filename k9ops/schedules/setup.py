"""Hang schedules into the application."""

from flask import Flask

from k9ops.core.i18n import lazy_gettext as _l
from k9ops.notifications.kinds import Kind, register_kind
from k9ops.schedules.cli import lock_schedules
from k9ops.schedules.file_views import day_files
from k9ops.schedules.locking import UNMARKED
from k9ops.schedules.note_views import day_notes
from k9ops.schedules.records import duty_of_dog, duty_of_person
from k9ops.schedules.shift_views import shifts
from k9ops.schedules.views import bp
from k9ops.schedules.words import of_locked_day
from k9ops.web.nav import nav_item
from k9ops.web.panels import add_panel


def init_schedules(app: Flask) -> None:
    """The pages, their place in the navigation, the command, and what managers are told."""
    app.register_blueprint(bp)
    app.register_blueprint(day_notes)
    app.register_blueprint(day_files)
    app.register_blueprint(shifts)
    app.cli.add_command(lock_schedules)
    nav_item("schedules.index", _l("Duty"), "calendar-days", "schedules.view", "unit", phone=True)
    nav_item("shifts.index", _l("Shifts"), "calendar-clock", "shifts.view", "unit")
    add_panel("dog", "schedules/_of_record.html", "schedules.view", duty_of_dog)
    add_panel("person", "schedules/_of_record.html", "schedules.view", duty_of_person)
    register_kind(
        UNMARKED,
        Kind(
            icon="clock-alert",
            family="part",
            title=_l("A day was locked with duties nobody marked"),
            text=_l("%(project)s, %(date)s: it is not noted who came."),
            words=of_locked_day,
        ),
    )
