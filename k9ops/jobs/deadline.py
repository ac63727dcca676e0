"""Deadlines around calls that may hang where no time-out of a library reaches.

`deadline` is kept by the connections of `redis_connections`. `within` bounds any other call, by
leaving it behind in a daemon thread, where it may still have its effect later: whoever uses it
must be safe against that.
"""

import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

R = TypeVar("R")

#: Threads that wait for the next call; starting one anew costs more than most calls.
_KEPT_AT_MOST = 8
_idle: "deque[_Caller]" = deque()
os.register_at_fork(after_in_child=_idle.clear)  # a child has none of its parent's threads

_this_thread = threading.local()


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Inside, this thread waits for Redis no longer than this in all; then a wait times out.

    One inside another ends no later than that.
    """
    outer = _ends_at()
    _this_thread.ends_at = min(outer, time.monotonic() + seconds)
    try:
        yield
    finally:
        _this_thread.ends_at = outer


def seconds_left() -> float:
    """Until this thread's deadline; infinite without one.

    Raises:
        TimeoutError: it is over.
    """
    left = _ends_at() - time.monotonic()
    if left <= 0:
        raise TimeoutError("the deadline is over")
    return left


def _ends_at() -> float:
    ends_at: float = getattr(_this_thread, "ends_at", math.inf)
    return ends_at


def within(seconds: float, function: Callable[[], R]) -> R:
    """The answer of `function`, called in another thread.

    Raises:
        TimeoutError: there was none in time.
        BaseException: what the function raised.
    """
    try:
        caller = _idle.pop()
    except IndexError:
        caller = _Caller()
    answers = caller.call(function)
    try:
        answer, error = answers.get(timeout=max(seconds, 0.001))
    except Empty:
        raise TimeoutError(f"no answer within {seconds:.2f} s") from None
    if error is not None:
        raise error
    return answer  # type: ignore[no-any-return]


class _Caller:
    """A daemon thread that calls one function after the other."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[tuple[Callable[[], Any], SimpleQueue[Any]]] = SimpleQueue()
        threading.Thread(target=self._run, name="bounded", daemon=True).start()

    def call(self, function: Callable[[], Any]) -> "SimpleQueue[Any]":
        """Call it; the queue gets its answer and its error, one of them None."""
        answers: SimpleQueue[Any] = SimpleQueue()
        self._calls.put((function, answers))
        return answers

    def _run(self) -> None:
        kept = True
        while kept:
            function, answers = self._calls.get()
            told = _call(function)
            kept = len(_idle) < _KEPT_AT_MOST
            if kept:
                _idle.append(self)
            answers.put(told)
            del function, answers, told  # nothing is held while it waits


def _call(function: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    try:
        return function(), None
    except BaseException as error:  # noqa: BLE001  (raised again by who asked)
        return None, error
