"""Hang the page chrome into the application."""

import hashlib
from contextlib import suppress
from datetime import timedelta
from functools import cache
from pathlib import Path

from flask import Flask, current_app, has_request_context, request, url_for
from flask_login import current_user
from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket

from k9ops.core.clock import utcnow
from k9ops.core.i18n import LANGUAGES, direction, language
from k9ops.core.settings import current_settings
from k9ops.web import formats, nav
from k9ops.web.errors import init_errors
from k9ops.web.icons import icon
from k9ops.web.links import address, address_of
from k9ops.web.security import init_security, may
from k9ops.web.views import THEMES, bp

STATIC = Path(__file__).parent / "static"


def init_web(app: Flask) -> None:
    """Security, errors, formats and templates; the features hang their pages in afterwards."""
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = timedelta(days=30)
    app.config["MAX_CONTENT_LENGTH"] = 2 * 1024 * 1024
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.bytecode_cache = _CompiledTemplates.at(
        Path(app.instance_path) / "cache/templates"
    )
    init_security(app)
    init_errors(app)
    app.register_blueprint(bp)
    app.jinja_env.globals.update(
        icon=icon,
        asset=asset,
        can=may,
        chrome=nav,
        fmt=formats,
        address=address,
        address_of=address_of,
    )
    app.context_processor(_of_every_page)


class _CompiledTemplates(FileSystemBytecodeCache):
    """Templates that earlier processes compiled: the first call of a page is as fast as the next.

    A full disk, a damaged file, or a folder that nobody may write to, costs only that.
    """

    @classmethod
    def at(cls, folder: Path) -> "_CompiledTemplates | None":
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            return None
        return cls(str(folder))

    def load_bytecode(self, bucket: Bucket) -> None:
        try:
            super().load_bytecode(bucket)
        except Exception:  # noqa: BLE001  (whatever a damaged file raises)
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)


def asset(name: str) -> str:
    """Address of a static file that changes with its content."""
    return _asset(request.script_root, name, _changed(name))


@cache
def _asset(_root: str, name: str, _changed_at: int) -> str:
    fingerprint = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return url_for("static", filename=name, v=fingerprint)


def _changed(name: str) -> int:
    """When it changed; looked up only while somebody works on the files."""
    return (STATIC / name).stat().st_mtime_ns if current_app.debug else 0


def _of_every_page() -> dict[str, object]:
    spoken = language() or "ar"
    theme = request.cookies.get("theme", "system") if has_request_context() else "system"
    return {
        "language": spoken,
        "other_language": next(code for code in LANGUAGES if code != spoken),
        "direction": direction(),
        "theme": theme if theme in THEMES else "system",
        "settings": current_settings(),
        "now": utcnow(),
        "person": current_user,
    }
