"""What can go wrong at the door."""

from k9ops.core.errors import K9Error


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


class Unauthenticated(K9Error):
    """The call carries no token that is good."""

    code = "unauthenticated"
    status = 401
