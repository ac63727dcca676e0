"""Addresses made from the page's own."""

from typing import Any

from flask import request, url_for


def address(**changes: object) -> str:
    """This page's address with some parameters changed, and its place in the list forgotten.

    Null takes a parameter away.
    """
    args: dict[str, Any] = request.args.to_dict(flat=False)
    for name in ("before", "after", *changes):
        args.pop(name, None)
    kept = {name: value for name, value in changes.items() if value is not None}
    return url_for(request.endpoint or "web.more", **{**(request.view_args or {}), **args, **kept})
