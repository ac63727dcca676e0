"""Forms of the door."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired

from k9ops.core.i18n import lazy_gettext as _l


class SignInForm(FlaskForm):
    """Name and password; `next` is the page that was asked for."""

    username = StringField(_l("Name"), [InputRequired(_l("Enter your name."))])
    password = PasswordField(_l("Password"), [InputRequired(_l("Enter your password."))])
    remember = BooleanField(_l("Stay signed in for 8 hours"))
    next = HiddenField()


class PasswordForm(FlaskForm):
    """One's own new password, typed twice."""

    current = PasswordField(
        _l("Your password until now"), [InputRequired(_l("Enter your password."))]
    )
    new = PasswordField(_l("New password"), [InputRequired(_l("Enter a new password."))])
    again = PasswordField(
        _l("The new password again"), [EqualTo("new", _l("The two are not the same."))]
    )
