"""Composition: the Flask application in named steps. Starts no thread, opens no connection."""

from typing import TYPE_CHECKING

from flask import Flask

from k9ops.accounts.setup import init_accounts
from k9ops.backups.setup import init_backups
from k9ops.core import clock
from k9ops.core.db import init_db
from k9ops.core.i18n import init_i18n
from k9ops.core.logs import init_logging
from k9ops.core.settings import init_settings
from k9ops.integrations.mail import init_mail
from k9ops.jobs.runtime import init_jobs
from k9ops.kennel.setup import init_kennel
from k9ops.monitoring.setup import init_monitoring
from k9ops.notifications.setup import init_notifications
from k9ops.people.setup import init_people
from k9ops.projects.setup import init_projects
from k9ops.reports.setup import init_reports
from k9ops.schedules.setup import init_schedules
from k9ops.settings.setup import init_settings_page
from k9ops.trail.setup import init_trail
from k9ops.web.setup import init_web

if TYPE_CHECKING:
    from config import Settings

#: Modules that define jobs, in the order of the floors.
JOB_MODULES: tuple[str, ...] = (
    "k9ops.accounts.jobs",
    "k9ops.notifications.jobs",
    "k9ops.schedules.jobs",
    "k9ops.reports.jobs",
    "k9ops.backups.jobs",
    "k9ops.monitoring.jobs",
)


def create_app(settings: "Settings") -> Flask:
    """The application for `settings`; the order of the steps is the order of the floors."""
    app = Flask(
        "k9ops",
        instance_path=str(settings.instance_path),
        static_folder="web/static",
        template_folder="web/templates",
    )
    init_logging()
    configure(app, settings)
    init_db(app, settings.database_url)
    init_i18n(app)
    init_mail(app, settings)
    init_web(app)
    init_accounts(app)
    init_notifications(app)
    init_jobs(app, settings, JOB_MODULES)
    init_schedules(app)
    init_kennel(app)
    init_people(app)
    init_projects(app)
    init_reports(app)
    init_monitoring(app)
    init_backups(app)
    init_settings_page(app)
    init_trail(app)
    return app


def configure(app: Flask, settings: "Settings") -> None:
    init_settings(app, settings)
    app.config["SECRET_KEY"] = settings.secret_key
    clock.set_offset(settings.test_clock_offset_seconds)
