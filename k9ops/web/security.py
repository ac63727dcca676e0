"""Who may see what: every view names its permission or is public; anything else is refused."""

import hashlib
import logging
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

from flask import Flask, Response, abort, current_app, redirect, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from k9ops.core.errors import K9Error
from k9ops.core.settings import current_settings

View = TypeVar("View", bound=Callable[..., Any])
log = logging.getLogger(__name__)
csrf = CSRFProtect()

#: The permission of pages that everyone has who is signed in.
SIGNED_IN = "signed_in"

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class NotSignedIn(K9Error):
    """Sign in first."""

    code = "not_signed_in"
    status = 401


def requires(permission: str) -> Callable[[View], View]:
    """Only for people who have `permission` (a word of `current_user.can`)."""

    def mark(view: View) -> View:
        view.permission = permission  # type: ignore[attr-defined]
        return view

    return mark


def public(view: View) -> View:
    """For everyone, signed in or not."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def init_security(app: Flask) -> None:
    """CSRF, cookies, headers, and the guard before every view."""
    settings = app.extensions["k9ops.settings"]
    app.config.update(
        SESSION_COOKIE_NAME=f"k9ops_{_fingerprint(settings.secret_key)}",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.session_cookie_secure,
        REMEMBER_COOKIE_HTTPONLY=True,
        REMEMBER_COOKIE_SAMESITE="Lax",
        REMEMBER_COOKIE_SECURE=settings.session_cookie_secure,
        WTF_CSRF_TIME_LIMIT=None,
    )
    if settings.trusted_proxies:
        fixed = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies, x_proto=0)
        app.wsgi_app = fixed  # type: ignore[method-assign]
    csrf.init_app(app)
    app.before_request(guard)
    app.after_request(add_headers)


def _fingerprint(secret: str) -> str:
    """Cookies know no ports: two copies on one machine must not overwrite each other's."""
    return hashlib.sha256(f"cookie {secret}".encode()).hexdigest()[:8]


def guard() -> ResponseReturnValue | None:
    """Refuse the request unless its view is public or the person has its permission."""
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or request.endpoint == "static" or getattr(view, "is_public", False):
        return None
    permission = getattr(view, "permission", None)
    if permission is None:
        log.error("view %s names no permission and is not public: refused", request.endpoint)
        abort(403)
    if not current_user.is_authenticated:
        return ask_to_sign_in()
    return None if may(permission) else abort(403)


def ask_to_sign_in() -> ResponseReturnValue:
    """Lead to the sign-in page and back again; the API is answered 401."""
    if is_api():
        raise NotSignedIn("Sign in first.", hint="Send a bearer token made by create-token.")
    target = request.full_path.rstrip("?") if request.method == "GET" else "/"
    return redirect("/sign-in" if target == "/" else f"/sign-in?next={quote(target)}")


def may(permission: str) -> bool:
    """Whether the person of this request has `permission`."""
    if not current_user.is_authenticated:
        return False
    return permission == SIGNED_IN or bool(current_user.can(permission))


def is_api() -> bool:
    return request.path.startswith("/api/")


def safe_path(target: str | None, default: str = "/") -> str:
    """`target` if it is a path of this application, else `default`."""
    if not target or not target.startswith("/") or target[1:2] in ("/", "\\"):
        return default
    return target if target.isprintable() and "\\" not in target else default


def add_headers(response: Response) -> Response:
    """Headers that every answer carries; pages are kept by no cache."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if current_settings().session_cookie_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "private, no-store")
    return response
