"""The mails about accounts."""

from typing import Any, Literal

from k9ops.accounts import password_links
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.jobs import job


@job(
    password_links.SEND,
    title=_l("Send a link for a new password"),
    queue="notifications",
    timeout_seconds=120,
    arguments={
        "user_id": _l("Number of the account (empty: nobody has what was typed)"),
        "language": _l("Language, where the person has chosen none"),
    },
)
def send_password_reset(
    user_id: int | None = None, language: Literal["ar", "en"] = "ar"
) -> dict[str, Any]:
    """Send the person a mail with a link by which they set a new password."""
    return {"sent": password_links.send_link(user_id, language)}
