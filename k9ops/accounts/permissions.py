"""Roles and what each may do."""

from enum import StrEnum

from k9ops.core.i18n import lazy_gettext as _l


class Role(StrEnum):
    """What a person is in the unit."""

    ADMINISTRATOR = "administrator"
    PROJECT_MANAGER = "project_manager"
    HANDLER = "handler"


ROLE_TITLES = {
    Role.ADMINISTRATOR: _l("Administrator"),
    Role.PROJECT_MANAGER: _l("Project manager"),
    Role.HANDLER: _l("Handler"),
}

#: Every permission of the product, as `thing.verb`. Without `projects.all` a person sees what
#: belongs to their own projects; whoever may not plan sees their own duty only.
PERMISSIONS = frozenset(
    {
        "jobs.view",
        "jobs.run",
        "jobs.manage",
        "runs.view",
        "runs.manage",
        "backups.view",
        "backups.make",
        "backups.download",
        "backups.restore",
        "people.view",
        "people.edit",
        "dogs.view",
        "dogs.edit",
        "projects.view",
        "projects.edit",
        "projects.all",
        "schedules.view",
        "schedules.edit",
        "schedules.lock",
        "schedules.unlock",
        "shifts.view",
        "shifts.edit",
        "documents.view",
        "documents.make",
        "settings.view",
        "settings.manage",
        "users.view",
        "users.manage",
        "audit.view",
        "search.use",
    }
)

_HELD: dict[str, frozenset[str]] = {
    Role.ADMINISTRATOR: PERMISSIONS,
    Role.PROJECT_MANAGER: frozenset(
        {
            "people.view",
            "dogs.view",
            "projects.view",
            "schedules.view",
            "schedules.edit",
            "schedules.lock",
            "shifts.view",
            "documents.view",
            "documents.make",
            "search.use",
        }
    ),
    Role.HANDLER: frozenset({"schedules.view"}),
}


def permissions_of(role: str) -> frozenset[str]:
    """The permissions that `role` holds."""
    return _HELD[role]


def roles_with(permission: str) -> list[str]:
    """The roles that hold `permission`."""
    return [role for role, held in _HELD.items() if permission in held]
