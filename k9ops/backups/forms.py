"""The form that confirms a restore."""

from flask_wtf import FlaskForm
from wtforms import StringField

from k9ops.core.checks import text_up_to
from k9ops.core.errors import BadInput
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l

LONGEST_REASON = 500


def confirmation() -> str:
    """The word to be typed, in the language of the page."""
    return _("restore")


class RestoreForm(FlaskForm):
    """Why it is wanted, and the word that nobody types by mistake."""

    reason = StringField(_l("Reason, kept in the audit log"))
    word = StringField(_l("Type the word to confirm"))

    def validate(self, extra_validators: object = None) -> bool:
        right = bool(super().validate(extra_validators))
        try:
            self.reason.data = " ".join(text_up_to(LONGEST_REASON)(self.reason.data).split())
        except BadInput as error:
            self.reason.errors = [error.message]
        else:
            if not self.reason.data:
                self.reason.errors = [_("Say why, in a few words.")]
        if (self.word.data or "").strip().casefold() != confirmation().casefold():
            text = _("That is not the word “%(word)s”.", word=confirmation())
            self.word.errors = [text]
        return right and not self.errors
