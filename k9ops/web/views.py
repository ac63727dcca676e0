"""What belongs to no feature: the theme, the places behind "more" on a phone, the search."""

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as BaseResponse

from k9ops.web import searching
from k9ops.web.filters import search_words
from k9ops.web.security import SIGNED_IN, public, requires, safe_path

THEMES = ("light", "dark", "system")
YEAR_SECONDS = 365 * 24 * 3600

bp = Blueprint("web", __name__)


@bp.post("/preferences/theme")
@public
def choose_theme() -> ResponseReturnValue:
    """Keep the chosen theme in a cookie, so that the server draws the next page in it."""
    response = redirect(safe_path(request.form.get("next")), 303)
    keep_theme(response, request.form.get("theme", ""))
    return response


def keep_theme(response: BaseResponse, theme: str) -> None:
    """Give this browser the theme; an unknown word means the device's own."""
    response.set_cookie(
        "theme",
        theme if theme in THEMES else "system",
        max_age=YEAR_SECONDS,
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )


@bp.get("/more")
@requires(SIGNED_IN)
def more() -> str:
    """Every place the person may go to, for phones."""
    return render_template("web/more.html")


@bp.get("/search")
@requires("search.use")
def search() -> str:
    """Whatever of the unit the person may see that has the words of the address."""
    words = search_words()
    groups = searching.search(words) if words else []
    return render_template("web/search.html", sought=words, groups=groups)
