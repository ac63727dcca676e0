"""What everything that starts processes needs: a free port, and patience with an end."""

import socket
import time


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_until(condition, seconds: float = 10, pause: float = 0.05):
    """The first true answer of `condition`; fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not in {seconds} s: {condition}"
        time.sleep(pause)
    return answer
