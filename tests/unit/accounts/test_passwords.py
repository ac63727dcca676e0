"""The rule for passwords, and how they are kept."""

import pytest

from k9ops.accounts.passwords import (
    check_password,
    hash_password,
    is_outdated,
    is_password,
    make_up_password,
)
from k9ops.core.errors import BadInput


@pytest.mark.parametrize(
    "password", ["short", "x" * 129, "Password123", "aaaaaaaaaaaa", "i am Amal!!", "123456789a"]
)
def test_check_password_refuses_when_it_is_easily_guessed(flask_context, password: str):
    with pytest.raises(BadInput) as refusal:
        check_password(password, "amal")
    assert refusal.value.field == "password"


@pytest.mark.parametrize("password", ["ten letter", "سبعة كلاب في الساحة", "x1y2" * 32])
def test_check_password_lets_pass_what_is_long_and_not_known(flask_context, password: str):
    check_password(password, "amal")


def test_made_up_password_keeps_the_rule(flask_context):
    made = {make_up_password() for _ in range(20)}
    assert len(made) == 20
    for password in made:
        check_password(password, "admin")


def test_hash_is_never_the_same_and_knows_its_password():
    first, second = hash_password("seven quiet kennels"), hash_password("seven quiet kennels")
    assert first != second
    assert is_password(first, "seven quiet kennels")
    assert not is_password(first, "seven quiet kennel")
    assert not is_outdated(first)


def test_is_password_takes_the_same_letters_when_encoded_differently():
    assert is_password(hash_password("cafe\u0301 in the yard"), "caf\u00e9 in the yard")


def test_nobodys_hash_is_verified_like_a_real_one_when_there_is_no_person():
    assert not is_password(None, "seven quiet kennels")
    assert not is_password("not a hash", "seven quiet kennels")
