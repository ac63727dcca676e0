"""The forms of projects, places and assignments."""

from wtforms import DateField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Optional

from k9ops.core.i18n import lazy_gettext as _l
from k9ops.projects.models import STATUS_TITLES
from k9ops.projects.services import CHECKS, PLACE_CHECKS
from k9ops.web.forms import RecordForm, optional_id, options


class ProjectForm(RecordForm):
    """What is kept of a project."""

    checks = CHECKS

    code = StringField(_l("Code"))
    name = StringField(_l("Name"))
    name_en = StringField(_l("Name in English"))
    status = SelectField(_l("Status"), choices=options(STATUS_TITLES))
    starts_on = DateField(_l("First day"), [Optional()])
    ends_on = DateField(_l("Last day"), [Optional()])
    manager_id = SelectField(_l("Manager"), coerce=optional_id)
    notes = TextAreaField(_l("Notes"))


class PlaceForm(RecordForm):
    """What a place is called."""

    checks = PLACE_CHECKS

    name = StringField(_l("Name"))
    name_en = StringField(_l("Name in English"))


class _Days(RecordForm):
    from_on = DateField(_l("From"), [Optional()])
    to_on = DateField(_l("To"), [Optional()])


class PersonAssignmentForm(_Days):
    """Which person, and when."""

    person_id = SelectField(
        _l("Person"), [InputRequired(_l("Choose a person."))], coerce=optional_id
    )


class DogAssignmentForm(_Days):
    """Which dog, and when."""

    dog_id = SelectField(_l("Dog"), [InputRequired(_l("Choose a dog."))], coerce=optional_id)


class EndForm(RecordForm):
    """The last day of an assignment."""

    to_on = DateField(_l("Last day"), [Optional()])
