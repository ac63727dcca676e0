"""Two-step verification: whether a code holds. Codes are used up; the caller commits."""

import logging
import secrets
from datetime import timedelta

from sqlalchemy import delete, func, or_, select, update

from k9ops.accounts import passwords, totp
from k9ops.accounts.models import RecoveryCode, TwoStep
from k9ops.core.clock import read_now
from k9ops.core.db import changed, db
from k9ops.core.sealing import seal, unseal

log = logging.getLogger(__name__)

RECOVERY_CODES = 10
#: Who began to switch it on and did not prove it begins anew after so long.
UNPROVED = timedelta(hours=1)
#: The key hangs on this word: another would open none of the secrets that are kept.
_PURPOSE = "second step"
_GROUPS, _DIGITS = 4, 5


def two_step_of(user_id: int) -> TwoStep | None:
    """The person's two-step verification, if it is on."""
    query = select(TwoStep).where(TwoStep.user_id == user_id)
    return db.session.scalars(query.where(TwoStep.on_since.is_not(None))).one_or_none()


def begun_by(user_id: int) -> TwoStep | None:
    """The one that the person still has to prove."""
    since = read_now(db.session()) - UNPROVED
    query = select(TwoStep).where(TwoStep.user_id == user_id, TwoStep.begun_at > since)
    return db.session.scalars(query.where(TwoStep.on_since.is_(None))).one_or_none()


def new_sealed_secret() -> str:
    return seal(totp.new_secret(), _PURPOSE)


def secret_of(step: TwoStep) -> str | None:
    """What the app has too; None when SECRET_KEY is another one than when it was made."""
    return unseal(step.secret, _PURPOSE)


def uses_code(user_id: int, code: str) -> str:
    """Use the code up: `app` or `recovery_code` it is, or nothing if it does not hold.

    Nothing is written for what cannot be a code: a password is checked next, which takes long.
    """
    digits = plain(code)
    if len(digits) == totp.DIGITS:
        return "app" if _uses_code_of_app(user_id, digits) else ""
    if len(digits) != _GROUPS * _DIGITS:
        return ""
    # Held first, as whoever renews them does: two at once do not wait for each other.
    return "recovery_code" if hold(user_id) and _uses_recovery_code(user_id, digits) else ""


def plain(code: str) -> str:
    """The digits alone, in whatever script they were typed and however grouped."""
    return "".join(str(int(sign)) for sign in code[:100] if sign.isdecimal())


def _uses_code_of_app(user_id: int, digits: str) -> bool:
    step = two_step_of(user_id)
    secret = step and secret_of(step)
    if not secret:
        if step:
            log.warning("codes cannot be checked: SECRET_KEY is not the one of their making")
        return False
    number = totp.step_of(secret, digits, read_now(db.session()))
    if number is None:
        return False
    # A code that was looked at over a shoulder opens nothing more.
    unused = or_(TwoStep.last_step.is_(None), TwoStep.last_step < number)
    used = update(TwoStep).where(TwoStep.user_id == user_id, unused)
    return changed(db.session.execute(used.values(last_step=number)))


def _uses_recovery_code(user_id: int, digits: str) -> bool:
    own = RecoveryCode.user_id == user_id, RecoveryCode.code_sha256 == passwords.hash_secret(digits)
    return changed(db.session.execute(delete(RecoveryCode).where(*own)))


def recovery_codes_left(user_id: int) -> int:
    query = select(func.count()).select_from(RecoveryCode).where(RecoveryCode.user_id == user_id)
    return db.session.scalar(query) or 0


def hold(user_id: int) -> bool:
    """Let no other change come between until the transaction ends; whether it is on."""
    own = TwoStep.user_id == user_id, TwoStep.on_since.is_not(None)
    same = update(TwoStep).where(*own).values(on_since=TwoStep.on_since)
    return changed(db.session.execute(same))


def renew_recovery_codes(user_id: int) -> list[str]:
    """New ones in the place of those until now, kept nowhere in clear; the caller holds the row."""
    codes = [_made_up() for _ in range(RECOVERY_CODES)]
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    db.session.add_all(
        RecoveryCode(user_id=user_id, code_sha256=passwords.hash_secret(plain(code)))
        for code in codes
    )
    return codes


def _made_up() -> str:
    """Digits, since every keyboard has them."""
    groups = (f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}" for _ in range(_GROUPS))
    return " ".join(groups)
