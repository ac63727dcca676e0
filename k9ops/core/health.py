"""What parts of the system say of themselves: features hang their checks in, `/readyz` asks."""

from collections.abc import Callable
from dataclasses import dataclass

OK, OFF, DEGRADED, DOWN = "ok", "off", "degraded", "down"


@dataclass(frozen=True)
class Check:
    """The state of one part; `off` is a choice and degrades nothing. Public: names no secret."""

    status: str
    detail: str
    age_seconds: float | None = None


_checks: dict[str, Callable[[], Check]] = {}


def register_check(name: str, check: Callable[[], Check]) -> None:
    """Let `/readyz` ask `check` under that name; it must be quick. Safe to repeat."""
    _checks[name] = check


def registered_checks() -> dict[str, Callable[[], Check]]:
    return dict(_checks)
