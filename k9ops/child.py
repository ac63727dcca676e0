"""Entry point of a run's own process: `python -m k9ops.child RUN`, started by the engine only.

Standard input carries the settings and the claim as JSON.
"""

import json
import os
import signal
import sys
from datetime import datetime
from typing import Any

from config import Settings
from k9ops.app import create_app
from k9ops.core.db import db
from k9ops.jobs.claims import Claim
from k9ops.jobs.isolation import READY, take_over
from k9ops.jobs.registry import get_job
from k9ops.jobs.runner import perform

#: The parent kills at the hard limit; if the parent is dead, the alarm does, a little later.
ALARM_AFTER_LIMIT_SECONDS = 5


def main() -> None:
    """Execute the claimed run, then end."""
    order: dict[str, Any] = json.load(sys.stdin)
    claim = _claim(order["claim"])
    app = create_app(Settings.model_validate(order["settings"]))
    limit = get_job(claim.job).timeout_seconds + ALARM_AFTER_LIMIT_SECONDS
    signal.setitimer(signal.ITIMER_REAL, limit)
    with app.app_context():
        if take_over(db.engine, claim):
            _say_ready()
            perform(claim)


def _claim(values: dict[str, Any]) -> Claim:
    return Claim(**values | {"started_at": datetime.fromisoformat(values["started_at"])})


def _say_ready() -> None:
    """Tell the parent, then free its pipe: what a job prints goes to the log."""
    os.write(sys.stdout.fileno(), READY)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


if __name__ == "__main__":
    main()
