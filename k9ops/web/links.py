"""Addresses: of pages, and those made from the page's own, in which nothing is obeyed."""

from functools import cache
from urllib.parse import quote, urlencode

from flask import request, url_for

from k9ops.web.security import safe_path

#: A place in a list; forgotten when the list itself changes.
PLACE = ("before", "after", "page")


def page_url(endpoint: str) -> str:
    """Address of a page that needs no values; every page leads to a dozen of them."""
    return _built(request.script_root, endpoint)


@cache
def _built(_root: str, endpoint: str) -> str:
    return url_for(endpoint)


def address(**changes: object) -> str:
    """This page's address with some parameters changed; null takes one away."""
    return address_of(quote(request.path), **changes)


def address_of(path: str, /, **changes: object) -> str:
    """`path` with this page's parameters, some of them changed."""
    gone = {*PLACE, *changes}
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in gone]
    kept += [(name, str(value)) for name, value in changes.items() if value is not None]
    return safe_path(f"{path}?{urlencode(kept)}" if kept else path)
