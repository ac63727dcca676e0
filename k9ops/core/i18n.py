"""Languages: Arabic first, English too. Texts are English in the code, translated in `po` files."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import flask_babel
from flask import Flask, g, has_request_context, request, session
from flask_babel import Babel, get_locale, get_translations
from flask_babel.speaklater import LazyString
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

from k9ops.core.settings import current_settings

__all__ = [
    "LANGUAGES",
    "LazyString",
    "babel",
    "direction",
    "force_locale",
    "get_locale",
    "gettext",
    "language",
    "lazy_gettext",
    "ngettext",
]

LANGUAGES = ("ar", "en")
babel = Babel()
_catalogs: dict[str, Any] = {}
_LANGUAGE = "k9ops_language"


def init_i18n(app: Flask) -> None:
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "translations"
    app.config["BABEL_DEFAULT_LOCALE"] = "ar"
    babel.init_app(app, locale_selector=select_language, timezone_selector=_unit_zone)
    app.before_request(_keep_choice)
    app.jinja_env.globals.update(_=_in_page, gettext=_in_page, ngettext=_counted_in_page)


def gettext(text: str, /, **values: Any) -> str:
    """The text in the language of the moment, with the values in it."""
    found = _plain(text)
    return found % values if values else found


def ngettext(one: str, many: str, num: int, /, **values: Any) -> str:
    """As `gettext`, in the form for that number, which is `num` among the values."""
    return _counted(one, many, num) % {"num": num, **values}


def lazy_gettext(text: str, /, **values: Any) -> LazyString:
    """A text whose language is chosen when it is read."""
    return LazyString(gettext, text, **values)


@pass_eval_context
def _in_page(eval_context: EvalContext, text: str, /, **values: Any) -> str:
    """`gettext` of templates, which escape the values and take the text itself for markup."""
    # Jinja's own copies the whole context for each text within a loop that sets a variable.
    found = _plain(text)
    return _as_text(eval_context, found) % values


@pass_eval_context
def _counted_in_page(
    eval_context: EvalContext, one: str, many: str, num: int, /, **values: Any
) -> str:
    """`ngettext` of templates."""
    found = _counted(one, many, num)
    return _as_text(eval_context, found) % {"num": num, **values}


def _as_text(eval_context: EvalContext, found: str) -> str:
    """The texts are ours: they stand in a page as they are."""
    return Markup(found) if eval_context.autoescape else found  # noqa: S704


def _plain(text: str) -> str:
    return str(_catalog().ugettext(text))


def _counted(one: str, many: str, number: int) -> str:
    return str(_catalog().ungettext(one, many, number))


def _catalog() -> Any:
    """The texts in the language of the moment."""
    known = language()
    if known is None:
        return get_translations()
    if known not in _catalogs:
        _catalogs[known] = get_translations()
    return _catalogs[known]


def language() -> str | None:
    """Code of the language of the moment; None outside the application.

    Kept, since a page asks hundreds of times, and flask-babel looks each time for where it is.
    """
    try:
        kept: str | None = getattr(g, _LANGUAGE, None)
    except RuntimeError:
        return None
    if kept is None and (locale := get_locale()) is not None:
        kept = locale.language
        setattr(g, _LANGUAGE, kept)
    return kept


@contextmanager
def force_locale(code: str) -> Iterator[None]:
    """Within it the language is that one."""
    with flask_babel.force_locale(code):
        before = g.pop(_LANGUAGE, None)
        try:
            yield
        finally:
            setattr(g, _LANGUAGE, before)


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
    return "ltr" if language() == "en" else "rtl"


def _keep_choice() -> None:
    asked = request.args.get("lang", "")
    if asked in LANGUAGES and request.endpoint != "static":
        session["language"] = asked


def _unit_zone() -> str:
    return current_settings().unit_timezone
