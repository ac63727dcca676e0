"""Who asks for documents without an account, in words that are translated."""

from k9ops.audit.services import COMMAND_LINE
from k9ops.core.i18n import lazy_gettext as _l

_ASKERS = {COMMAND_LINE.name: _l("Command line"), "schedule": _l("Schedule")}


def asker(name: str) -> object:
    """The words for a name that the ledger keeps; a person's name as it is."""
    return _ASKERS.get(name, name)
