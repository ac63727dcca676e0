"""The settings of the running application, for code that runs inside it."""

from typing import TYPE_CHECKING, cast

from flask import current_app

if TYPE_CHECKING:
    from config import Settings

EXTENSION = "k9ops.settings"


def current_settings() -> "Settings":
    """The settings that `create_app` was given; needs an application context."""
    return cast("Settings", current_app.extensions[EXTENSION])
