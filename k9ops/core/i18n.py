"""Languages: Arabic first, English too. Texts are English in the code, translated in `po` files."""

from typing import Any

from flask import Flask, g, has_request_context, request, session
from flask_babel import (
    Babel,
    force_locale,
    get_locale,
    get_translations,
    gettext,
    lazy_gettext,
    ngettext,
)
from flask_babel.speaklater import LazyString

from k9ops.core.settings import current_settings

__all__ = [
    "LANGUAGES",
    "LazyString",
    "babel",
    "direction",
    "force_locale",
    "get_locale",
    "gettext",
    "lazy_gettext",
    "ngettext",
]

LANGUAGES = ("ar", "en")
babel = Babel()
_catalogs: dict[str, Any] = {}


def init_i18n(app: Flask) -> None:
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "translations"
    app.config["BABEL_DEFAULT_LOCALE"] = "ar"
    babel.init_app(app, locale_selector=select_language, timezone_selector=_unit_zone)
    app.before_request(_keep_choice)
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: _catalog().ugettext(text),
        lambda one, many, number: _catalog().ungettext(one, many, number),
        newstyle=True,
    )


def _catalog() -> Any:
    """The texts in the language of the moment.

    Templates hold hundreds, and flask-babel would work out for each of them where they are.
    """
    locale = get_locale()
    if locale is None:
        return get_translations()
    if locale.language not in _catalogs:
        _catalogs[locale.language] = get_translations()
    return _catalogs[locale.language]


def select_language() -> str:
    """`?lang=`, else the person's choice, else Accept-Language, else Arabic."""
    if not has_request_context():
        return "en"
    asked = request.args.get("lang", "")
    if asked in LANGUAGES:
        return asked
    chosen = g.get("language") or session.get("language")
    return chosen or request.accept_languages.best_match(LANGUAGES, default="ar") or "ar"


def direction() -> str:
    return "rtl" if str(get_locale() or "ar").startswith("ar") else "ltr"


def _keep_choice() -> None:
    asked = request.args.get("lang", "")
    if asked in LANGUAGES and request.endpoint != "static":
        session["language"] = asked


def _unit_zone() -> str:
    return current_settings().unit_timezone
