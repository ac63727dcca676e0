"""What forms of records have in common: rules shared with the services, faults at their fields."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, ClassVar, TypeVar

from flask import flash, redirect, render_template
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import SelectChoice

from k9ops.core.checks import Check
from k9ops.core.db import db
from k9ops.core.errors import BadInput, K9Error
from k9ops.core.i18n import gettext as _
from k9ops.web.formats import isolated, named

T = TypeVar("T")


class RecordForm(FlaskForm):
    """A form whose fields bear the names of a dataclass of a service."""

    #: The service's own rules; here so that all faults are told at once.
    checks: ClassVar[Mapping[str, Check]] = {}

    def validate(self, extra_validators: Any = None) -> bool:
        right = bool(super().validate(extra_validators))
        for name, check in self.checks.items():
            if self[name].errors:
                continue
            try:
                check(self[name].data)
            except BadInput as error:
                self[name].errors = [error.message]
                right = False
        return right

    def values(self, kind: type[T]) -> T:
        """The dataclass that was filled in."""
        return kind(**{one.name: self[one.name].data for one in fields(kind)})  # type: ignore[arg-type]


def saved(form: FlaskForm, save: Callable[[], T]) -> T | None:
    """What `save` made of a form that was sent; None when nothing was sent or something is wrong.

    What is wrong then stands in the errors of its field; a fault of no field is raised.
    """
    if not form.validate_on_submit():
        return None
    try:
        return save()
    except K9Error as error:
        db.session.rollback()
        if error.field not in form:
            raise
        form[error.field].errors = [f"{error.message} {error.hint}".strip()]
        return None


def record_form_page(
    template: str,
    form: RecordForm,
    one: T | None,
    save: Callable[[], T],
    url_of: Callable[[T], str],
) -> ResponseReturnValue:
    """The page of a record's form, `one` being None for a new one; once kept, the way to it."""
    kept = saved(form, save)
    if kept:
        flash(_("%(name)s was saved.", name=isolated(named(kept))), "ok")
        return redirect(url_of(kept), 303)
    return render_template(template, form=form, one=one), 422 if form.errors else 200


def options(choices: Mapping[Any, Any], *, none: Any = None) -> list[SelectChoice]:
    """The choices of a select by their values; `none` is the word for the empty one."""
    empty = [] if none is None else [SelectChoice("", none)]
    return empty + [SelectChoice(value, label) for value, label in choices.items()]


def optional_id(text: str | int | None) -> int | None:
    """The key that an option of a select holds; the empty option holds none."""
    return int(text) if text else None
