"""The form of a dog."""

from wtforms import DateField, DecimalField, SelectField, StringField, TextAreaField
from wtforms.validators import Optional

from k9ops.core.i18n import lazy_gettext as _l
from k9ops.kennel.models import SEX_TITLES, SPECIALTY_TITLES, STATUS_TITLES
from k9ops.kennel.services import CHECKS
from k9ops.kennel.words import FITNESS_TITLES
from k9ops.web.forms import RecordForm, optional_id, options


class DogForm(RecordForm):
    """What is kept of a dog."""

    checks = CHECKS

    code = StringField(_l("Code"))
    name = StringField(_l("Name"))
    name_en = StringField(_l("Name in English"))
    breed = StringField(_l("Breed"))
    sex = SelectField(_l("Sex"), choices=options(SEX_TITLES))
    born_on = DateField(_l("Born on"), [Optional()])
    microchip = StringField(_l("Microchip"))
    specialty = SelectField(_l("Specialty"), choices=options(SPECIALTY_TITLES))
    status = SelectField(_l("Status"), choices=options(STATUS_TITLES))
    fitness = SelectField(_l("Fitness"), choices=options(FITNESS_TITLES))
    weight_kg = DecimalField(_l("Weight in kg"), [Optional()])
    handler_id = SelectField(_l("Handled by"), coerce=optional_id)
    notes = TextAreaField(_l("Notes"))
