"""A deadline around a call that may hang where no time-out of a library reaches.

Name resolution and a peer that drips bytes are such places. The call is left behind in a daemon
thread and may still have its effect later: whoever uses this must be safe against that.
"""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TypeVar

R = TypeVar("R")


def within(seconds: float, function: Callable[[], R]) -> R:
    """The answer of `function`, called in a thread of its own.

    Raises:
        TimeoutError: there was none in time.
        BaseException: what the function raised.
    """
    answers: SimpleQueue[tuple[R | None, BaseException | None]] = SimpleQueue()

    def call() -> None:
        try:
            answers.put((function(), None))
        except BaseException as error:  # noqa: BLE001  (raised again by the caller)
            answers.put((None, error))

    threading.Thread(target=call, name="bounded", daemon=True).start()
    try:
        answer, error = answers.get(timeout=max(seconds, 0.001))
    except Empty:
        raise TimeoutError(f"no answer within {seconds:.2f} s") from None
    if error is not None:
        raise error
    return answer  # type: ignore[return-value]
