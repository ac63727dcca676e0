"""The migrations that this code knows, and bringing the database up to them."""

from pathlib import Path

import flask_migrate
from alembic.script import ScriptDirectory

from k9ops.core.db import migrate

#: Beside the package, whatever folder the process was started in.
FOLDER = str(Path(__file__).resolve().parents[2] / "migrations")


def known_revisions() -> frozenset[str]:
    """Every migration that this code has."""
    return frozenset(script.revision for script in _scripts().walk_revisions())


def current_head() -> str | None:
    """The newest of them."""
    return _scripts().get_current_head()


def upgrade() -> None:
    """Bring the database up to the newest migration."""
    flask_migrate.upgrade(directory=FOLDER)


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(migrate.get_config(FOLDER))
