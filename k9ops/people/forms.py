"""The form of a person."""

from wtforms import BooleanField, DateField, SelectField, StringField
from wtforms.validators import Optional

from k9ops.core.i18n import lazy_gettext as _l
from k9ops.people.models import WORK_TITLES
from k9ops.people.services import CHECKS
from k9ops.web.forms import RecordForm, optional_id, options


class PersonForm(RecordForm):
    """What is kept of a person."""

    checks = CHECKS

    number = StringField(_l("Number"))
    name = StringField(_l("Name"))
    name_en = StringField(_l("Name in English"))
    work = SelectField(_l("Work"), choices=options(WORK_TITLES))
    phone = StringField(_l("Phone"))
    hired_on = DateField(_l("In the unit since"), [Optional()])
    user_id = SelectField(_l("Account"), coerce=optional_id)
    active = BooleanField(_l("In service"), default=True)
