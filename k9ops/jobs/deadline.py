"""A deadline around a call that may hang where no time-out of a library reaches.

Name resolution and a peer that drips bytes are such places. The call is left behind in a daemon
thread and may still have its effect later: whoever uses this must be safe against that.
"""

import os
import threading
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

R = TypeVar("R")

#: Threads that wait for the next call; starting one anew costs more than most calls.
_KEPT_AT_MOST = 8
_idle: "deque[_Caller]" = deque()
os.register_at_fork(after_in_child=_idle.clear)  # a child has none of its parent's threads


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
