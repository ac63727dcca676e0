"""Errors for people: what happened, what to do, and a reference to quote; JSON under /api."""

import logging
import secrets
from collections.abc import Mapping
from typing import Any

from flask import Flask, jsonify, render_template
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import BadHost, HTTPException

from k9ops.core.db import is_lacking
from k9ops.core.errors import K9Error, Unavailable
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.web.security import is_api

log = logging.getLogger(__name__)

#: Status → what it is, what to do.
WORDS: dict[int, tuple[Any, Any]] = {
    400: (_l("This request cannot be read"), _l("Go back, reload the page, and try again.")),
    401: (_l("Sign in first"), _l("Then open this page again.")),
    403: (_l("This page is not open to you"), _l("Ask an administrator if you need it.")),
    404: (_l("There is no such page"), _l("The address may be old or mistyped.")),
    405: (_l("This address does not work that way"), _l("Use the buttons of the page.")),
    409: (_l("It no longer fits"), _l("Something changed in the meantime. Look again.")),
    413: (_l("That is too much to take"), _l("Send less at once.")),
    422: (_l("A value is wrong"), _l("Correct it and try again.")),
    429: (_l("Too many tries"), _l("Wait a little and try again.")),
    500: (_l("Something broke on our side"), _l("Your data is as it was. Try again in a moment.")),
    503: (_l("Something needed is missing"), _l("Try again in a moment.")),
}

#: Code → what it is, where the error itself speaks to whoever types commands.
_told: dict[str, Any] = {}


def tell(words: Mapping[str, Any]) -> None:
    """Let pages say these words of errors with those codes, in the reader's language."""
    _told.update(words)


def init_errors(app: Flask) -> None:
    app.register_error_handler(K9Error, show_own_error)
    app.register_error_handler(HTTPException, show_http_error)
    app.register_error_handler(OperationalError, show_lack)


def show_own_error(error: K9Error) -> ResponseReturnValue:
    """The product's own errors say themselves what is wrong, unless pages have other words."""
    if is_api():
        return jsonify(error.as_dict()), error.status
    message, hint = _told.get(error.code), ""
    if message is None:
        message, hint = error.message, error.hint
    return _page(error.status, str(message), hint), error.status


def show_lack(error: OperationalError) -> ResponseReturnValue:
    """A database that cannot be used is told as such; other faults of it are ours."""
    if not is_lacking(error):
        raise error
    log.error("the database cannot be used: %s", error.orig)
    text = _("The database cannot be used at the moment.")
    return show_own_error(Unavailable(text, hint=_("Try again in a moment.")))


def show_http_error(error: HTTPException) -> ResponseReturnValue:
    """Flask's errors; one that nobody expected arrives here as 500, already logged."""
    if error.response is not None:
        return error.response
    if isinstance(error, BadHost):  # no page of ours can be drawn: it would have no addresses
        return error.get_response()
    status = error.code or 500
    if is_api():
        own = K9Error(error.description or error.name, code=error.name.lower().replace(" ", "_"))
        return jsonify(own.as_dict()), status, _headers_of(error)
    page = _page(status, "", _csrf_hint() if isinstance(error, CSRFError) else "")
    return page, status, _headers_of(error)


def _headers_of(error: HTTPException) -> list[tuple[str, str]]:
    return [(n, v) for n, v in error.get_headers() if n.lower() in ("allow", "retry-after")]


def _csrf_hint() -> Any:
    return _l("The form was too old or came from elsewhere. Go back, reload it, and send it again.")


def _page(status: int, message: str, hint: Any) -> str:
    title, remedy = WORDS.get(status, WORDS[400 if status < 500 else 500])
    reference = secrets.token_hex(4).upper()
    log.log(
        logging.ERROR if status >= 500 else logging.INFO,
        "answered %d, reference %s",
        status,
        reference,
    )
    # A page of our own trouble must not need the database: it is drawn without navigation.
    template = "errors/plain.html" if status >= 500 else "errors/page.html"
    return render_template(
        template,
        status=status,
        title=message or title,
        hint=hint or remedy,
        reference=reference,
    )
