"""Switching two-step verification on and off; every function is one transaction.

Each writes its audit entry but `begin`, which changes nothing yet.
"""

from sqlalchemy import delete, update

from k9ops.accounts import queries, services, totp, two_step_codes
from k9ops.accounts.models import RecoveryCode, TwoStep, User
from k9ops.accounts.signals import account_touched
from k9ops.audit.services import Actor, record
from k9ops.core.clock import db_now, read_now
from k9ops.core.db import changed, db, insert_new
from k9ops.core.errors import BadInput, Conflict
from k9ops.core.i18n import gettext as _

ON, OFF = "account.two_step_on", "account.two_step_off"
RENEWED, RESET = "account.recovery_codes_renewed", "account.two_step_reset"


def begin(user: User, password: str, *, actor: Actor) -> None:
    """Make a secret for the person's app; nothing changes before they prove that it has it.

    Raises:
        BadInput: it is not their password.
        SignInLocked: too many bad tries at the name.
    """
    services.confirm_password(user, password, actor=actor)
    unproved = TwoStep.user_id == user.id, TwoStep.on_since.is_(None)
    db.session.execute(delete(TwoStep).where(*unproved))
    secret = two_step_codes.new_sealed_secret()
    insert_new(db.session(), TwoStep, user_id=user.id, secret=secret, begun_at=db_now())
    db.session.commit()


def switch_on(user: User, code: str, *, actor: Actor) -> list[str]:
    """Ask for codes from the next sign-in on; returns the recovery codes, which are kept nowhere.

    Raises:
        BadInput: the code is not the app's.
        Conflict: nothing was begun, or too long ago.
    """
    begun = two_step_codes.begun_by(user.id)
    secret = begun and two_step_codes.secret_of(begun)
    if not begun or not secret:
        raise _outdated()
    step = totp.step_of(secret, two_step_codes.plain(code), read_now(db.session()))
    if step is None:
        hint = _("Look at the app again; its codes change every 30 seconds.")
        raise BadInput(_("This is not the code."), field="code", hint=hint)
    # Of the secret that was proved: it may have been begun anew meanwhile.
    own = TwoStep.user_id == user.id, TwoStep.secret == begun.secret
    unproved = update(TwoStep).where(*own, TwoStep.on_since.is_(None))
    on = unproved.values(on_since=db_now(), last_step=step)
    if not changed(db.session.execute(on)):
        db.session.rollback()
        raise _outdated()
    codes = two_step_codes.renew_recovery_codes(user.id)
    _commit(user, "two_step.switched_on", actor, ON)
    return codes


def renew_codes(user: User, proof: str, *, actor: Actor) -> list[str]:
    """Ten new recovery codes; those until now open nothing more.

    Raises:
        BadInput: `proof` is neither their password nor a code.
        SignInLocked: too many bad tries at the name.
        Conflict: it is not on.
    """
    services.confirm_password(user, proof, actor=actor, field="proof", or_code=True)
    if not two_step_codes.hold(user.id):
        db.session.rollback()
        raise _outdated()
    codes = two_step_codes.renew_recovery_codes(user.id)
    _commit(user, "two_step.codes_renewed", actor, RENEWED)
    return codes


def switch_off(user: User, proof: str, *, actor: Actor) -> None:
    """Ask for the password alone again.

    Raises:
        BadInput: `proof` is neither their password nor a code.
        SignInLocked: too many bad tries at the name.
    """
    services.confirm_password(user, proof, actor=actor, field="proof", or_code=True)
    if _remove(user.id):
        _commit(user, "two_step.switched_off", actor, OFF)


def reset(user: User, *, actor: Actor) -> None:
    """Switch it off for somebody who has lost phone and codes, and tell them so.

    Raises:
        Conflict: it is not on, or it is one's own, for which a proof is asked.
    """
    if user.id == actor.id:
        raise Conflict(_("Switch off your own two-step verification in your account."))
    if not _remove(user.id):
        db.session.rollback()
        raise Conflict(_("Two-step verification is not on for this person."))
    _commit(user, "two_step.reset", actor, RESET)


def _remove(user_id: int) -> bool:
    """Whether it was on."""
    own = TwoStep.user_id == user_id, TwoStep.on_since.is_not(None)
    if not changed(db.session.execute(delete(TwoStep).where(*own))):
        return False
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    return True


def _commit(user: User, action: str, actor: Actor, told: str) -> None:
    record(db.session(), actor, action, queries.target_of(user))
    account_touched.send(told, session=db.session(), user=user)
    db.session.commit()


def _outdated() -> Conflict:
    hint = _("Open the page of two-step verification again.")
    return Conflict(_("This does not fit any more."), hint=hint)
