"""Secrets at rest: what a backup or a look into the database must not tell."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app


def seal(secret: str, purpose: str) -> str:
    """The secret, to be read again only with this SECRET_KEY and for the same purpose."""
    return _box(purpose).encrypt(secret.encode()).decode()


def unseal(sealed: str, purpose: str) -> str | None:
    """The secret; None when it was sealed with another SECRET_KEY."""
    try:
        return _box(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None


def _box(purpose: str) -> Fernet:
    key = str(current_app.config["SECRET_KEY"]).encode()
    derived = HKDF(SHA256(), 32, salt=None, info=f"k9ops {purpose}".encode()).derive(key)
    return Fernet(base64.urlsafe_b64encode(derived))
