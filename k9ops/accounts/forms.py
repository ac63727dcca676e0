"""Forms of the door, of one's own account, and of people who sign in."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, IntegerField, PasswordField, SelectField, StringField
from wtforms.validators import EqualTo, InputRequired, NumberRange

from k9ops.accounts import managing, profiles, services
from k9ops.accounts.api_tokens import MOST_DAYS
from k9ops.accounts.models import Theme
from k9ops.accounts.permissions import ROLE_TITLES
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.web.forms import RecordForm, options

LANGUAGE_TITLES = {"ar": "العربية", "en": "English"}
THEME_TITLES = {
    Theme.SYSTEM: _l("As the device"),
    Theme.LIGHT: _l("Light"),
    Theme.DARK: _l("Dark"),
}


class SignInForm(FlaskForm):
    """Name and password; `next` is the page that was asked for."""

    username = StringField(_l("Name"), [InputRequired(_l("Enter your name."))])
    password = PasswordField(_l("Password"), [InputRequired(_l("Enter your password."))])
    remember = BooleanField(_l("Stay signed in for 8 hours"))
    next = HiddenField()


class CodeForm(FlaskForm):
    """A code of two-step verification."""

    code = StringField(_l("Code"), [InputRequired(_l("Enter the code."))])


class BeginForm(FlaskForm):
    """The password, before two-step verification is set up."""

    password = PasswordField(_l("Your password"), [InputRequired(_l("Enter your password."))])


class ProofForm(FlaskForm):
    """What proves that it is the person who changes their two-step verification."""

    proof = PasswordField(
        _l("Your password, or a code"), [InputRequired(_l("Enter your password, or a code."))]
    )


class SwitchOffForm(ProofForm):
    """The same, where it stands beside the other on one page."""

    proof = PasswordField(
        _l("Your password, or a code"),
        [InputRequired(_l("Enter your password, or a code."))],
        id="proof-off",
    )


class LinkForm(FlaskForm):
    """Who has forgotten their password."""

    username = StringField(
        _l("Name or e-mail address"), [InputRequired(_l("Enter your name or e-mail address."))]
    )


class NewPasswordForm(FlaskForm):
    """A new password, typed twice."""

    new = PasswordField(_l("New password"), [InputRequired(_l("Enter a new password."))])
    again = PasswordField(
        _l("The new password again"), [EqualTo("new", _l("The two are not the same."))]
    )


class PasswordForm(NewPasswordForm):
    """One's own new password, and the one until now."""

    current = PasswordField(
        _l("Your password until now"), [InputRequired(_l("Enter your password."))]
    )


class UserForm(RecordForm):
    """What an administrator may change of a person."""

    checks = managing.CHECKS

    full_name = StringField(_l("Full name"))
    email = StringField(_l("E-mail address"))
    role = SelectField(_l("Role"), choices=options(ROLE_TITLES))


class NewUserForm(UserForm):
    """A person to be added."""

    checks = {"username": services.user_name, **managing.CHECKS}

    username = StringField(_l("Name to sign in with"))


class ProfileForm(RecordForm):
    """What a person may change of themselves."""

    checks = profiles.CHECKS

    full_name = StringField(_l("Full name"))
    email = StringField(_l("E-mail address"))
    language = SelectField(
        _l("Language"), choices=options(LANGUAGE_TITLES, none=_l("As the browser"))
    )
    theme = SelectField(_l("Look"), choices=options(THEME_TITLES))
    password = PasswordField(_l("Your password"))

    def _columns(self) -> list[str]:
        return [name for name in super()._columns() if name != "password"]


class TokenForm(FlaskForm):
    """A new API token."""

    name = StringField(
        _l("What it is for"),
        [InputRequired(_l("Fill this in."))],
        filters=[lambda v: v and v.strip()],
    )
    days = IntegerField(
        _l("Days until it ends"),
        [NumberRange(1, MOST_DAYS, _l("Between %(low)s and %(high)s.", low=1, high=MOST_DAYS))],
        default=90,
    )
