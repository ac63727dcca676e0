"""What is known of the broker, for pages and checks that must not wait for a sick one.

A process that executes looks every other second. Others look when they are asked, and wait a
little for the answer; what they then show is what was known last, with its age.
"""

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from k9ops.jobs.broker import Broker, BrokerFault, View, fault_of
from k9ops.jobs.deadline import deadline

#: Between two looks of a process that executes.
LOOK_SECONDS = 2.0
#: Who asks with older knowledge than this looks first …
_OLD_SECONDS = 5.0
#: … and waits at most so long for the answer.
_PATIENCE_SECONDS = 0.15
_DEADLINE_SECONDS = 0.75


@dataclass(frozen=True)
class Known:
    """The last answer and how old it is; `fault`: how the last look failed, if it did."""

    view: View | None = None
    age_seconds: float | None = None
    answer_ms: float | None = None
    fault: BrokerFault | None = None


class BrokerWatch:
    """One process's knowledge of the broker."""

    def __init__(self, broker: Broker, queues: Sequence[str]) -> None:
        self._broker = broker
        self._queues = queues
        self._known = Known()
        self._answered_at: float | None = None
        self._looked_at: float | None = None
        #: When somebody last waited for a look: a page that asks again does not wait again.
        self._asked_at = -math.inf
        self._looking = threading.Lock()

    def look(self) -> None:
        """Ask the broker, unless somebody is asking; takes less than a second."""
        if not self._looking.acquire(blocking=False):
            return
        began = time.monotonic()
        try:
            with deadline(_DEADLINE_SECONDS):
                view = self._broker.look(self._queues)
        except Exception as error:  # noqa: BLE001  (kept as what is known)
            self._known = Known(self._known.view, None, None, fault_of(error))
        else:
            self._answered_at = time.monotonic()
            self._known = Known(view, None, round((self._answered_at - began) * 1000, 2))
        finally:
            self._looked_at = time.monotonic()
            self._looking.release()

    def known(self) -> Known:
        """What is known now; waits a moment for a look if that is old, and once only for it."""
        now = time.monotonic()
        last_look = max(self._looked_at or -math.inf, self._asked_at)
        if now - last_look > _OLD_SECONDS:
            self._asked_at = now
            looking = threading.Thread(target=self.look, name="broker-look", daemon=True)
            looking.start()
            looking.join(_PATIENCE_SECONDS)
        age = None if self._answered_at is None else time.monotonic() - self._answered_at
        last = self._known
        return Known(last.view, age, last.answer_ms, last.fault)
