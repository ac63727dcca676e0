"""The form of the settings that pages can change, in groups."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wtforms import IntegerField, SelectField, StringField

from k9ops.backups.jobs import RUN_BACKUP
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.core.settings import CHANGEABLE, fixed_names
from k9ops.schedules.jobs import AUTO_LOCK
from k9ops.settings.services import checks_of
from k9ops.web.forms import RecordForm, options, told

if TYPE_CHECKING:
    from config import Settings

FREQUENCIES: dict[str, Any] = {
    "daily": _l("Daily"),
    "weekly": _l("Weekly, on Sundays"),
    "monthly": _l("Monthly, on the 1st"),
    "off": _l("Not by itself"),
}
_FULL_HOURS = {hour: f"{hour:02}:00" for hour in range(24)}
_HOURS = {hour: f"{hour:02}" for hour in range(24)}


class SettingsForm(RecordForm):
    """Every changeable setting by its own name; those of the environment are only shown."""

    unit_name = StringField(_l("The unit's name"))
    unit_name_en = StringField(_l("Its name in English"))
    schedule_auto_lock_hour = SelectField(_l("Lock at, hour"), coerce=int, choices=options(_HOURS))
    schedule_auto_lock_minute = IntegerField(_l("Lock at, minute"))
    notification_retention_days = IntegerField(_l("Days that read notifications are kept"))
    backup_frequency = SelectField(_l("How often"), choices=options(FREQUENCIES))
    backup_hour = SelectField(_l("At"), coerce=int, choices=options(_FULL_HOURS))
    backup_keep_last = IntegerField(_l("Keep the newest"))
    backup_keep_daily = IntegerField(_l("Keep the last of so many days"))
    backup_keep_weekly = IntegerField(_l("Keep the last of so many weeks"))
    backup_keep_monthly = IntegerField(_l("Keep the last of so many months"))
    google_drive_folder_id = StringField(_l("Folder on Google Drive"))

    def __init__(self, settings: "Settings") -> None:
        self.fixed = fixed_names()
        rules = checks_of(settings)
        self.checks = {name: rules[name] for name in CHANGEABLE if name not in self.fixed}  # type: ignore[misc]
        super().__init__(obj=settings)
        for name in self.fixed:
            self[name].data, self[name].raw_data = getattr(settings, name), None
            self[name].process_errors = []

    def changed_values(self) -> Mapping[str, Any]:
        """What was typed into the fields that can be changed."""
        return {name: self[name].data for name in self.checks}

    def word(self, name: str) -> str:
        """The value of a setting that cannot be changed here."""
        return told(self[name], self[name].data)


@dataclass(frozen=True)
class Group:
    """Settings that belong together, and the job whose times follow them."""

    key: str
    icon: str
    title: Any
    text: Any
    names: tuple[str, ...]
    job: str = ""


GROUPS = (
    Group(
        "unit", "settings", _l("The unit"),
        _l("As pages and documents name it."),
        ("unit_name", "unit_name_en"),
    ),
    Group(
        "duty", "lock", _l("Automatic lock of duty"),
        _l("At this time of each day all days of duty that are over are locked."),
        ("schedule_auto_lock_hour", "schedule_auto_lock_minute"),
        AUTO_LOCK,
    ),
    Group(
        "backups", "database-backup", _l("Backups"),
        _l("When a backup is made by itself, and which ones are kept."),
        (
            "backup_frequency", "backup_hour", "backup_keep_last", "backup_keep_daily",
            "backup_keep_weekly", "backup_keep_monthly", "google_drive_folder_id",
        ),
        RUN_BACKUP,
    ),
    Group(
        "notifications", "bell", _l("Notifications"),
        _l("The weekly cleanup removes read ones; unread ones stay."),
        ("notification_retention_days",),
    ),
)  # fmt: skip


def field_titles() -> dict[str, Any]:
    """What each setting is called."""
    return {name: getattr(SettingsForm, name).args[0] for name in CHANGEABLE}


def hints() -> dict[str, str]:
    """What stands under some fields."""
    return {
        "unit_name_en": _("Shown on English pages and documents; else the name itself."),
        "schedule_auto_lock_minute": _("0 to 59, on the unit's clock."),
        "backup_hour": _("On the unit's clock."),
        "backup_keep_last": _("Whatever the other rules say; at least 1."),
        "backup_keep_weekly": _("Weeks begin on Sunday."),
        "google_drive_folder_id": _("The last part of the folder's address in a shared drive."),
    }
