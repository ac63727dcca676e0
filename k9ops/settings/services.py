"""Changing settings, in one transaction with its audit entry."""

import json
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from k9ops.audit.services import Actor, Target, record
from k9ops.core.checks import Check, text_up_to
from k9ops.core.db import db
from k9ops.core.errors import BadInput
from k9ops.core.i18n import gettext as _
from k9ops.core.seen import hold, require_seen
from k9ops.core.settings import (
    CHANGEABLE,
    UNIT_ID,
    Setting,
    default_of,
    fixed_names,
    look_again,
    rules_of,
    valid,
)
from k9ops.jobs.tasks import sync_tasks

if TYPE_CHECKING:
    from config import Settings

_LONGEST_TEXT = 120


def checks_of(settings: "Settings") -> dict[str, Check]:
    """The rule of each changeable setting: that of the environment's value."""
    return {name: partial(_checked, settings, name) for name in CHANGEABLE}


def change_settings(values: Mapping[str, Any], *, actor: Actor, seen: str | None = None) -> None:
    """Keep these values; what equals the default is left to the default again.

    The tasks of the jobs follow at once, other processes within seconds. The audit holds every
    changed value as [before, after]. `seen` is the digest of a form that showed all changeable
    settings.

    Raises:
        BadInput: a value is wrong, or the environment gives it; it is named.
        Stale: somebody changed a setting since.
    """
    settings = _held()
    wanted = {name: _named(settings, name, value) for name, value in values.items()}
    pairs = {name: (getattr(settings, name), value) for name, value in wanted.items()}
    changes = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    if changes:
        require_seen(settings, CHANGEABLE, seen)
    for name, (_before, now) in changes.items():
        _keep(settings, name, now)
    if changes:
        told = {name: list(pair) for name, pair in changes.items()}
        target = Target("setting", "unit", settings.unit_name)
        record(db.session(), actor, "setting.changed", target, told)
    db.session.commit()
    look_again()
    sync_tasks()


def _held() -> "Settings":
    """The present settings; nobody else changes them until the transaction ends."""
    hold(db.session.scalars(select(Setting).where(Setting.name == UNIT_ID)).one())
    return look_again()


def _keep(settings: "Settings", name: str, value: Any) -> None:
    db.session.execute(delete(Setting).where(Setting.name == name))
    if value != default_of(settings, name):
        db.session.add(Setting(name=name, value=json.dumps(value)))


def _named(settings: "Settings", name: str, value: Any) -> Any:
    if name not in CHANGEABLE or name in fixed_names():
        raise BadInput(_("Only the environment of the installation changes this."), field=name)
    try:
        return _checked(settings, name, value)
    except BadInput as error:
        error.field = name
        raise


def _checked(settings: "Settings", name: str, value: Any) -> Any:
    if isinstance(value, str):
        value = " ".join(text_up_to(_LONGEST_TEXT)(value).split())
    try:
        checked = valid(settings, name, value)
    except ValueError:
        raise BadInput(_fault(rules_of(settings, name))) from None
    return default_of(settings, name) if checked == "" else checked


def _fault(rules: Mapping[str, Any]) -> str:
    if "minimum" in rules:
        return _("Between %(low)s and %(high)s.", low=rules["minimum"], high=rules["maximum"])
    if "enum" in rules:
        return _("Choose one of the list.")
    return _("Letters, digits, - and _ only: it is the last part of the folder's address.")
