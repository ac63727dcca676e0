"""Redis connections that keep to the deadline of who uses them.

redis-py bounds each wait and not their sum: a peer that drips bytes keeps its caller for ever,
and for a silent name server it waits without any bound.
"""

import math
import socket
from typing import Any

import redis

from k9ops.jobs.deadline import seconds_left, within


class _Socket:
    """A socket whose waits keep to the deadline."""

    def __init__(self, inner: socket.socket) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def sendall(self, data: Any) -> None:
        """Send it all, or nothing where it is too late."""
        seconds_left()
        self._inner.sendall(data)

    def recv_into(self, buffer: Any) -> int:
        """Receive what is there, within the socket's time-out and what is left."""
        left, usual = seconds_left(), self._inner.gettimeout()
        if left >= (math.inf if usual is None else usual):
            return self._inner.recv_into(buffer)
        self._inner.settimeout(left)
        try:
            return self._inner.recv_into(buffer)
        finally:
            self._inner.settimeout(usual)


class _Bounded:
    """A connection that is opened in time too: another thread waits for the name server."""

    def _connect(self) -> Any:
        connect = super()._connect  # type: ignore[misc]
        left = seconds_left()
        return _Socket(connect() if left == math.inf else within(left, connect))


class Connection(_Bounded, redis.Connection):
    """A plain connection that keeps to the deadline."""


class SSLConnection(_Bounded, redis.SSLConnection):
    """One with TLS that does."""
