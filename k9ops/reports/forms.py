"""The form that asks for a document."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, SelectField, StringField

from k9ops.core.i18n import lazy_gettext as _l
from k9ops.reports.arguments import Argument
from k9ops.reports.registry import Report
from k9ops.web.forms import options

LANGUAGE_TITLES = {"ar": "العربية", "en": "English"}


class RequestForm(FlaskForm):
    """The arguments of a report, and the language of the document."""


def request_form(report: Report, projects: dict[str, str], language: str) -> RequestForm:
    """A field for each argument of the report, filled with its default, and the language."""
    fields = {name: _field(kind, projects) for name, kind in report.arguments.items()}
    choices = options(LANGUAGE_TITLES)
    fields["language"] = SelectField(_l("Language"), choices=choices, default=language)
    form: type[RequestForm] = type(report.key, (RequestForm,), fields)
    return form()


def _field(kind: Argument, projects: dict[str, str]) -> Field:
    if kind.control == "select":
        return SelectField(kind.title, choices=options(projects))
    default: Any = kind.write(kind.read(""))
    return StringField(kind.title, default=default)
