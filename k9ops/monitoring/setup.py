"""Hang jobs and runs into the application."""

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from k9ops.core.db import db
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.monitoring import words
from k9ops.monitoring.api import bp as api_bp
from k9ops.monitoring.api import health_bp
from k9ops.monitoring.bulk_views import bp as bulk_bp
from k9ops.monitoring.cli import jobs
from k9ops.monitoring.dual_run_cli import dual_run
from k9ops.monitoring.dual_run_views import bp as dual_run_bp
from k9ops.monitoring.listeners import init_listeners
from k9ops.monitoring.queries import failing_jobs, overdue_seconds
from k9ops.monitoring.schedule_views import bp as schedule_bp
from k9ops.monitoring.views import bp, find_runs
from k9ops.monitoring.workers import known_celery
from k9ops.web import errors
from k9ops.web.nav import Sign, nav_item, show_state
from k9ops.web.searching import add_finder
from k9ops.web.security import SIGNED_IN, csrf

#: Nobody ticked for so long: the background work stands still.
STILL_SECONDS = 60


def init_monitoring(app: Flask) -> None:
    """Pages with their places in the navigation, API, commands, and the state of the house."""
    app.register_blueprint(bp)
    app.register_blueprint(schedule_bp)
    app.register_blueprint(bulk_bp)
    app.register_blueprint(dual_run_bp)
    app.register_blueprint(health_bp)
    app.register_blueprint(api_bp)
    csrf.exempt(api_bp)
    app.cli.add_command(jobs)
    app.cli.add_command(dual_run)
    init_listeners()
    nav_item("monitoring.home", _l("Home"), "house", SIGNED_IN, phone=True)
    nav_item(
        "monitoring.jobs", _l("Jobs"), "activity", "jobs.view", "control",
        phone=True, counter=failing_jobs,
    )  # fmt: skip
    nav_item("monitoring.runs", _l("Runs"), "list", "runs.view", "control", phone=True)
    add_finder("monitoring.runs", find_runs)
    nav_item("dual_run.page", _l("Dual run"), "git-compare", "runs.view", "control")
    show_state(state_of_the_house)
    errors.tell(words.REFUSALS)


def state_of_the_house() -> list[Sign]:
    """Whether the database answers, and who does the background work."""
    database, work = _l("Application and database"), _l("Background work")
    try:
        waiting, celery = overdue_seconds(), known_celery()
    except SQLAlchemyError:
        db.session.rollback()
        return [
            Sign("circle-x", "bad", _("the database does not answer"), database),
            Sign("circle-dashed", "wait", _("unknown"), work),
        ]
    works = Sign("circle-check", "ok", _("working"), database)
    if waiting > STILL_SECONDS:
        return [works, Sign("clock-alert", "part", _("Background work stands still"), work)]
    if celery is None:
        return [works, Sign("circle-check", "ok", _("Jobs run in process"), work)]
    word = words.engine(celery)
    return [works, Sign(word.icon, word.family, word.text, work)]
