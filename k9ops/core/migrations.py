"""The migrations that this code knows, and bringing the database up to them."""

from alembic.script import ScriptDirectory
from flask_migrate import upgrade

from k9ops.core.db import migrate

__all__ = ["current_head", "known_revisions", "upgrade"]


def known_revisions() -> frozenset[str]:
    """Every migration that this code has."""
    return frozenset(script.revision for script in _scripts().walk_revisions())


def current_head() -> str | None:
    """The newest of them."""
    return _scripts().get_current_head()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(migrate.get_config())
