"""Entry point of a restore that a page asked for: `python -m k9ops.restorer`.

Standard input carries the settings and the person as JSON. The lock of restores is held already:
whoever started this process gave it the lock's descriptor.
"""

import json
import sys
from typing import Any

from config import Settings
from k9ops.app import create_app
from k9ops.audit.services import Actor
from k9ops.backups.detached import restore_as_asked


def main() -> None:
    """Restore what the journal names, then end."""
    order: dict[str, Any] = json.load(sys.stdin)
    app = create_app(Settings.model_validate(order["settings"]))
    with app.app_context():
        restore_as_asked(Actor(**order["actor"]))


if __name__ == "__main__":
    main()
