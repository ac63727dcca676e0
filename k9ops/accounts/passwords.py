"""Passwords: what is allowed, and how they are kept."""

import hashlib
import secrets
import unicodedata
from base64 import b64encode

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from k9ops.core.errors import BadInput
from k9ops.core.i18n import gettext as _

SHORTEST, LONGEST = 10, 128

#: Long enough for the rule, and still among the first that anybody tries.
_FIRST_TRIED = """
1234567890 0123456789 0987654321 12345678910 1234567891 123456789a a123456789 1q2w3e4r5t
1q2w3e4r5t6y qwertyuiop qwerty12345 qwerty123456 qwertyuiop123 asdfghjkl123 password12 password123
password1234 passw0rd123 administrator administrator1 admin12345 admin123456 adminadmin welcome123
welcome1234 letmein123 letmein1234 iloveyou123 changeme123 changemenow k9opsadmin k9opsk9ops
"""
_WELL_KNOWN = frozenset(_FIRST_TRIED.split())

_hasher = PasswordHasher()


def make_up_password() -> str:
    """A password nobody knows yet, easy to read aloud and to type."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(5)) for _ in range(4))


def check_password(password: str, username: str, *, field: str = "password") -> None:
    """Refuse a password that is too short, too long, or easily guessed.

    Raises:
        BadInput: names `field` and what to do.
    """
    plain = _normal(password).casefold()
    if not SHORTEST <= len(password) <= LONGEST:
        text = _("The password must have %(from)s to %(to)s characters.", **_limits())
    elif plain in _WELL_KNOWN or len(set(plain)) < 4:
        text = _("This password is among the first that anybody would try.")
    elif username.casefold() in plain:
        text = _("The password must not contain the name.")
    else:
        return
    raise BadInput(text, field=field, hint=_("A few unrelated words make a good password."))


def hash_password(password: str) -> str:
    return _hasher.hash(_normal(password))


def hash_secret(text: str) -> str:
    """What is kept of a long random text: a quick hash is enough for it."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def is_password(password_hash: str | None, password: str) -> bool:
    """Whether `password` is right; costs the same when there is no hash to compare with."""
    try:
        return _hasher.verify(password_hash or _nobodys_hash(), _normal(password))
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(password_hash: str) -> bool:
    """Whether it was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def _nobodys_hash() -> str:
    """A hash that no password has, written without the cost of hashing."""
    costs = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    salt, digest = (_encoded(size) for size in (_hasher.salt_len, _hasher.hash_len))
    return f"$argon2id$v=19${costs}${salt}${digest}"


def _encoded(size: int) -> str:
    return b64encode(secrets.token_bytes(size)).decode().rstrip("=")


def _normal(password: str) -> str:
    """Keyboards encode the same letters differently."""
    return unicodedata.normalize("NFKC", password)


def _limits() -> dict[str, int]:
    return {"from": SHORTEST, "to": LONGEST}
