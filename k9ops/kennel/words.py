"""What dogs are called on pages: signs of their fitness, their age."""

from datetime import date

from babel.lists import format_list
from babel.units import format_unit

from k9ops.core.checks import unit_today
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.kennel.models import Fitness
from k9ops.web.formats import locale
from k9ops.web.nav import Sign

FITNESS = {
    Fitness.FIT: Sign("circle-check", "ok", _l("Fit")),
    Fitness.LIGHT: Sign("half", "part", _l("Light duty")),
    Fitness.UNFIT: Sign("circle-x", "bad", _l("Unfit")),
}


def age(born_on: date | None) -> str:
    """4 years, 7 months; a dash where the day of birth is not known."""
    if born_on is None:
        return "—"
    today = unit_today()
    months = (today.year - born_on.year) * 12 + today.month - born_on.month
    years, rest = divmod(months - (today.day < born_on.day), 12)
    counts = (years, "duration-year"), (rest, "duration-month")
    parts = [format_unit(n, unit, locale=locale()) for n, unit in counts if n]
    return format_list(parts, style="unit", locale=locale()) if parts else _less_than_a_month()


def _less_than_a_month() -> str:
    return str(_l("under a month"))
