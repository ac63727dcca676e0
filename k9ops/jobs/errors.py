"""What a job may raise, and what the engine raises into a job."""

from typing import Literal

from k9ops.core.errors import Conflict, NotFound

Why = Literal["soft_limit", "cancelled", "lost"]


class PermanentError(Exception):
    """The run cannot succeed by being repeated: it ends `failed` without a retry."""

    def __init__(self, text: str, code: str = "permanent") -> None:
        super().__init__(text)
        self.code = code


class Stopped(Exception):
    """The run is to stop: its soft limit passed, it was cancelled, or its lease was lost."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why


class LeaseLost(Exception):
    """Another attempt owns the run by now; what was about to be committed is rolled back."""


class UnknownJob(NotFound):
    """No job of this name is in the catalogue."""

    code = "unknown_job"


class KeyInUse(Conflict):
    """The key was given before with other arguments."""

    code = "key_in_use"


class OpenTransaction(Conflict):
    """The caller's session holds writes, so a run of its own commit would overtake them."""

    code = "open_transaction"
