"""Whether a container's process is well: `python -m scripts.healthy web|worker|beat`.

Ends with 0, or with 1 and a line that says why. Each asks of its own container alone.
"""

import os
import socket
import sys
from http.client import HTTPConnection


def web() -> str:
    """What is wrong with the web server here; empty if it answers."""
    connection = HTTPConnection("127.0.0.1", int(os.environ.get("PORT") or 8000), timeout=5)
    connection.request("GET", "/healthz")
    status = connection.getresponse().status
    return "" if status == 200 else f"The web server answers {status}."


def worker() -> str:
    """Whether it told Redis a moment ago that it lives: what those go by who send it messages."""
    from config import load_settings_or_exit
    from k9ops.jobs.broker import connect, worker_key

    name = f"celery@{socket.gethostname()}"
    with connect(load_settings_or_exit().celery_broker_url, seconds=5) as client:
        return "" if client.exists(worker_key(name)) else f"{name} gives no sign of life."


def beat() -> str:
    """Whether something has been due for too long: Beat has no door to knock at."""
    from config import load_settings_or_exit
    from k9ops.app import create_app
    from k9ops.monitoring.health import readiness

    with create_app(load_settings_or_exit()).app_context():
        check = readiness()["checks"]["scheduler"]
    return "" if check["status"] == "ok" else str(check["detail"])


def main() -> None:
    checks = {"web": web, "worker": worker, "beat": beat}
    if len(sys.argv) != 2 or sys.argv[1] not in checks:
        sys.exit(f"usage: python -m scripts.healthy {'|'.join(checks)}")
    try:
        fault = checks[sys.argv[1]]()
    except Exception as error:  # noqa: BLE001  (whatever it is, the process is not well)
        fault = f"{type(error).__name__}: {error}"
    sys.exit(fault or 0)


if __name__ == "__main__":
    main()
