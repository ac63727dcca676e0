"""What can go wrong at the door."""

from typing import TYPE_CHECKING

from k9ops.core.errors import K9Error

if TYPE_CHECKING:
    from k9ops.accounts.models import User


class SignInRefused(K9Error):
    """The name or the password is wrong; which of the two is never told."""

    code = "sign_in_refused"
    status = 422

    def __init__(self, message: str, *, tries_left: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.tries_left = tries_left


class SignInLocked(K9Error):
    """Too many bad tries at one name; also the right password is refused for a while."""

    code = "sign_in_locked"
    status = 429

    def __init__(self, message: str, *, seconds_left: int) -> None:
        super().__init__(message)
        self.seconds_left = seconds_left


def wait_of(error: SignInRefused | SignInLocked) -> dict[str, str]:
    """The header that tells programs when to try again."""
    return {"Retry-After": str(error.seconds_left)} if isinstance(error, SignInLocked) else {}


class CodeNeeded(K9Error):
    """Name and password are right; a code of two-step verification is asked for."""

    code = "code_needed"
    status = 401

    def __init__(self, user: "User") -> None:
        super().__init__("A code is needed.")
        self.user = user


class LinkVoid(K9Error):
    """A link for a new password holds no more."""

    code = "link_void"
    status = 404

    def __init__(self) -> None:
        super().__init__("The link holds no more.", hint="Ask for a new one.")


class Unauthenticated(K9Error):
    """The call carries no token that is good."""

    code = "unauthenticated"
    status = 401
