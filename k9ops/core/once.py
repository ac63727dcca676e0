"""What several parts of a page ask for, found once."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from flask import has_request_context, request

V = TypeVar("V")

_ENVIRON = "k9ops.found"


def once_a_page(key: Hashable, load: Callable[[], V]) -> V:
    """What `load` gave before for this page.

    Only where pages are read: what a form changes is found anew.
    """
    if not has_request_context() or request.method != "GET":
        return load()
    found: dict[Hashable, Any] = request.environ.setdefault(_ENVIRON, {})
    if key not in found:
        found[key] = load()
    value: V = found[key]
    return value
