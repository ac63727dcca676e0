"""Fail when the models and the migrations disagree, on a new SQLite file.

Run as `python -m scripts.check_migrations`; the tests do the same on PostgreSQL.
"""

import logging
import os
import sys
import tempfile
from pathlib import Path

from flask_migrate import check, upgrade

from config import Settings
from k9ops.app import create_app


def main() -> None:
    for name in Settings.model_fields:
        os.environ.pop(name.upper(), None)
    with tempfile.TemporaryDirectory() as folder:
        instance = Path(folder)
        settings = Settings(_env_file=None, instance_path=instance, secret_key="-")  # noqa: S106
        app = create_app(settings)
        logging.getLogger("alembic").setLevel(logging.WARNING)
        with app.app_context():
            try:
                upgrade()
                check()
            except SystemExit:  # Flask-Migrate has told the difference
                sys.exit('Write the migration: make db-revision M="what it does"')


if __name__ == "__main__":
    main()
