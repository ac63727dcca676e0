"""The form of a dog."""

from typing import Any

from wtforms import DateField, DecimalField, SelectField, StringField, TextAreaField
from wtforms.validators import Optional

from k9ops.core.i18n import lazy_gettext as _l
from k9ops.kennel.models import SEX_TITLES, SPECIALTY_TITLES, STATUS_TITLES
from k9ops.kennel.services import CHECKS
from k9ops.kennel.words import FITNESS
from k9ops.web.forms import RecordForm, optional_id


class DogForm(RecordForm):
    """What is kept of a dog."""

    checks = CHECKS

    code = StringField(_l("Code"))
    name = StringField(_l("Name"))
    name_en = StringField(_l("Name in English"))
    breed = StringField(_l("Breed"))
    sex = SelectField(_l("Sex"), choices=list(SEX_TITLES.items()))
    born_on = DateField(_l("Born on"), [Optional()])
    microchip = StringField(_l("Microchip"))
    specialty = SelectField(_l("Specialty"), choices=list(SPECIALTY_TITLES.items()))
    status = SelectField(_l("Status"), choices=list(STATUS_TITLES.items()))
    fitness = SelectField(_l("Fitness"), choices=[(k, sign.text) for k, sign in FITNESS.items()])
    weight_kg = DecimalField(_l("Weight in kg"), [Optional()])
    handler_id = SelectField(_l("Handler"), coerce=optional_id)
    notes: Any = TextAreaField(_l("Notes"))
