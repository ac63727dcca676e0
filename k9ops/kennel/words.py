"""What dogs are called on pages: signs of their fitness, their age."""

from datetime import date

from k9ops.core.checks import unit_today
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.core.i18n import ngettext
from k9ops.kennel.models import Fitness
from k9ops.web.nav import Sign

FITNESS = {
    Fitness.FIT: Sign("circle-check", "ok", _l("Fit")),
    Fitness.LIGHT: Sign("half", "part", _l("Light duty")),
    Fitness.UNFIT: Sign("circle-x", "bad", _l("Unfit")),
}
FITNESS_TITLES = {fitness: sign.text for fitness, sign in FITNESS.items()}


def age(born_on: date | None) -> str:
    """4 years, 7 months; a dash where the day of birth is not known."""
    if born_on is None:
        return "—"
    today = unit_today()
    months = (today.year - born_on.year) * 12 + today.month - born_on.month
    years, rest = divmod(months - (today.day < born_on.day), 12)
    in_years = ngettext("%(num)s year", "%(num)s years", years)
    in_months = ngettext("%(num)s month", "%(num)s months", rest)
    if years and rest:
        return _("%(years)s, %(months)s", years=in_years, months=in_months)
    return in_years if years else in_months
