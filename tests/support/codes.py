"""What the app on a person's phone would show."""

import pyotp
from flask import Flask

from k9ops.accounts import two_step, two_step_codes
from k9ops.accounts.queries import get_user
from k9ops.audit.services import COMMAND_LINE
from k9ops.core.clock import utcnow
from k9ops.core.db import db
from tests.support.people import Person


def code_of(secret: str, steps: int = 0) -> str:
    """The code of now, or of so many steps of half a minute later."""
    totp = pyotp.TOTP(secret.replace(" ", ""))
    return totp.generate_otp(totp.timecode(utcnow()) + steps)


def other_than(code: str) -> str:
    """A code that is wrong for certain."""
    return f"{(int(code) + 500_000) % 1_000_000:06}"


def begin(app: Flask, person: Person) -> str:
    """Begin to set it up; returns the secret."""
    with app.app_context():
        user = get_user(person.username)
        two_step.begin(user, person.password, actor=COMMAND_LINE)
        return two_step_codes.secret_of(two_step_codes.begun_by(user.id))


def switch_on(app: Flask, person: Person) -> tuple[str, list[str]]:
    """Switch it on with the code before that of now, so that the code of now is still unused."""
    secret = begin(app, person)
    with app.app_context():
        user = get_user(person.username)
        codes = two_step.switch_on(user, code_of(secret, -1), actor=COMMAND_LINE)
        db.session.remove()
        return secret, codes
