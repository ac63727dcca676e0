"""The root of the product's errors: each knows its code, the field at fault, and the remedy."""

from typing import Any


class K9Error(Exception):
    """Something the user asked for cannot be done.

    `code` is stable and for programs, `field` names the argument or setting at fault, `hint`
    says what to do next, `status` is the HTTP status, `exit_code` that of a command.
    """

    code = "error"
    status = 400
    exit_code = 1

    def __init__(
        self, message: str, *, code: str = "", field: str | None = None, hint: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.field = field
        self.hint = hint

    def as_dict(self) -> dict[str, Any]:
        """The error document of the API and of `--json`."""
        return {
            "error": {
                "code": self.code,
                "message": self.message,
                "field": self.field,
                "hint": self.hint,
            }
        }


class BadInput(K9Error):
    """A value that was given is wrong."""

    code = "bad_input"
    status = 422
    exit_code = 2


class NotFound(K9Error):
    """There is no such thing."""

    code = "not_found"
    status = 404
    exit_code = 2


class Forbidden(K9Error):
    """The person may not do this."""

    code = "forbidden"
    status = 403


class Conflict(K9Error):
    """It does not fit the present state."""

    code = "conflict"
    status = 409


class Unavailable(K9Error):
    """Something needed from outside is missing: a program, space, a service."""

    code = "unavailable"
    status = 503
