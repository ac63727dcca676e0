"""The web application, for gunicorn and for `flask`. Importing it starts nothing."""

from config import load_settings_or_exit
from k9ops.app import create_app
from k9ops.cli import register_commands
from k9ops.core.console import ends_start

with ends_start():
    app = create_app(load_settings_or_exit())
register_commands(app)
