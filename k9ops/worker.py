"""Entry point of Celery: `celery -A k9ops.worker worker | beat | call …`.

Importing it opens no connection and starts nothing; a worker's children are forked clean.
"""

from config import load_settings_or_exit
from k9ops.app import create_app
from k9ops.core.console import ends_start
from k9ops.jobs.celery_app import make_celery
from k9ops.jobs.native import register_tasks
from k9ops.jobs.presence import prepare_worker
from k9ops.jobs.registry import catalogue

__all__ = ["celery", "flask_app"]

with ends_start():
    settings = load_settings_or_exit()
    flask_app = create_app(settings)

celery = make_celery(settings, catalogue().values())
celery.flask_app = flask_app
register_tasks(celery, flask_app)
prepare_worker(celery, flask_app)
