"""Codes of an app on a phone (RFC 6238): six digits, a new one every thirty seconds."""

import hmac
from datetime import datetime

import pyotp
import segno
from markupsafe import Markup

DIGITS = 6
#: Phones' clocks go wrong: the code before and the code after hold too.
_AROUND = (0, -1, 1)


def new_secret() -> str:
    return pyotp.random_base32()


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The step of time whose code it is, of those that hold now."""
    totp = pyotp.TOTP(secret)
    steps = [totp.timecode(now) + around for around in _AROUND]
    return next((step for step in steps if _same(totp.generate_otp(step), code)), None)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode(errors="replace"))


def picture(secret: str, username: str, unit: str) -> Markup:
    """What the app reads by the phone's camera, as SVG without any style."""
    address = pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=unit)
    drawn = segno.make(address, error="m", micro=False)
    # Its own colours in every theme: cameras read dark on light.
    svg = drawn.svg_inline(omitsize=True, dark="#000", light="#fff")
    return Markup(svg)  # noqa: S704  (made of squares alone)
