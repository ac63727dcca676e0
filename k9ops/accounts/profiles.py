"""What people change of their own account."""

from dataclasses import asdict, dataclass

from k9ops.accounts import managing, services
from k9ops.accounts.models import Theme, User
from k9ops.audit.services import Actor
from k9ops.core.checks import Check, checked, one_word_of
from k9ops.core.errors import BadInput
from k9ops.core.i18n import LANGUAGES
from k9ops.core.i18n import gettext as _


def _language(code: str | None) -> str | None:
    """A Check: a language of the product, or none: then the browser's counts."""
    if code and code not in LANGUAGES:
        raise BadInput(_("Choose one of the list."))
    return code or None


CHECKS: dict[str, Check] = {
    "full_name": managing.CHECKS["full_name"],
    "email": managing.CHECKS["email"],
    "language": _language,
    "theme": one_word_of(Theme),
}


@dataclass(frozen=True)
class ProfileValues:
    """What a person may change of themselves."""

    full_name: str
    email: str | None
    language: str | None
    theme: str


def change_profile(
    user: User, values: ProfileValues, password: str, *, actor: Actor, seen: str | None = None
) -> User:
    """Change it. A new e-mail address, to which new passwords are sent, needs the password.

    Raises:
        BadInput: a field is wrong, or the password is not theirs; the field is named.
        SignInLocked: too many bad tries at the name.
        Conflict, Stale: the address is taken, or somebody was faster.
    """
    values = checked(values, CHECKS)
    if values.email != user.email:
        if not password:
            text = _("A new e-mail address needs your password.")
            raise BadInput(text, field="password")
        services.confirm_password(user, password, actor=actor)
        managing.tell_of_email(user, values.email)
    return managing.keep_user(user, asdict(values), actor, seen)
