"""What forms of records have in common: rules shared with the services, faults at their fields."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date, time
from typing import Any, ClassVar, TypeVar

from flask import flash, redirect, render_template
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, HiddenField, SelectChoice, SelectField

from k9ops.core.checks import Check
from k9ops.core.db import db
from k9ops.core.errors import BadInput, K9Error
from k9ops.core.i18n import gettext as _
from k9ops.core.seen import digest_of
from k9ops.web.formats import isolated, named, on

T = TypeVar("T")
R = TypeVar("R")


class RecordForm(FlaskForm):
    """A form whose fields bear the names of a dataclass of a service.

    Of a row that is there already it keeps what it `seen`: services refuse to write over the change
    of somebody who was faster.
    """

    #: The service's own rules; here so that all faults are told at once.
    checks: ClassVar[Mapping[str, Check]] = {}

    #: Columns that a save may write too, though the form has no field for them.
    also: ClassVar[tuple[str, ...]] = ()

    seen = HiddenField()

    def __init__(self, *args: Any, obj: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, obj=obj, **kwargs)
        self._row = obj
        if self.seen.raw_data is None:
            self.look_again()

    def look_again(self) -> None:
        """Go by what the row holds now; what was typed stays."""
        self.seen.data = digest_of(self._row, [*self._columns(), *self.also]) if self._row else ""

    def overwrites(self) -> list[tuple[Field, str]]:
        """The fields in which the row holds something else than was typed, and that in words."""
        held = {name: getattr(self._row, name) for name in self._columns()}
        other = {name: now for name, now in held.items() if self._typed(name) != (now or None)}
        return [(self[name], told(self[name], now)) for name, now in other.items()]

    def _columns(self) -> list[str]:
        return [name for name in self._fields if name not in ("csrf_token", "seen")]

    def _typed(self, name: str) -> Any:
        check = self.checks.get(name, lambda value: value)
        return check(self[name].data) or None

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
        if error.field == "seen":
            form.look_again()
        return None


def saving(
    form: RecordForm,
    one: Any,
    kind: type[T],
    add: Callable[..., R],
    change: Callable[..., R],
    actor: Any,
) -> Callable[[], R]:
    """What saves the form of a record: by `add` when it is new, else by `change`."""

    def save() -> R:
        values = form.values(kind)
        if one is None:
            return add(values, actor=actor)
        return change(one.id, values, actor=actor, seen=form.seen.data)

    return save


def record_form_page(
    template: str,
    form: RecordForm,
    one: T | None,
    save: Callable[[], T],
    url_of: Callable[[T], str],
    **told: Any,
) -> ResponseReturnValue:
    """The page of a record's form, `one` being None for a new one; once kept, the way to it."""
    kept = saved(form, save)
    if kept:
        flash(_("%(name)s was saved.", name=isolated(named(kept))), "ok")
        return redirect(url_of(kept), 303)
    return render_template(template, form=form, one=one, **told), 422 if form.errors else 200


def told(field: Field, value: Any) -> str:
    """A value as the field's control shows it."""
    if isinstance(field, SelectField):
        key = "" if value is None else str(value)
        return next((str(one.label) for one in field.choices if str(one.value) == key), key)
    if isinstance(field, BooleanField):
        return _("yes") if value else _("no")
    if isinstance(value, date):
        return on(value)
    if isinstance(value, time):
        return f"{value:%H:%M}"
    return "—" if value in (None, "") else str(value)


def options(choices: Mapping[Any, Any], *, none: Any = None) -> list[SelectChoice]:
    """The choices of a select by their values; `none` is the word for the empty one."""
    empty = [] if none is None else [SelectChoice("", none)]
    return empty + [SelectChoice(value, label) for value, label in choices.items()]


def optional_id(text: str | int | None) -> int | None:
    """The key that an option of a select holds; the empty option holds none."""
    return int(text) if text else None
