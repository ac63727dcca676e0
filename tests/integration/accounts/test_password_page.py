"""Changing one's own password."""

import pytest

from tests.support.people import csrf_token, sign_in

NEW = "eight quiet kennels"


def change(client, current: str, new: str, again: str | None = None):
    token = csrf_token(client.get("/account/password?lang=en").text)
    fields = {"current": current, "new": new, "again": new if again is None else again}
    return client.post("/account/password", data={**fields, "csrf_token": token})


def test_password_changes_and_only_this_browser_stays_signed_in(client_of, badr):
    here, there = client_of(badr), client_of(badr)
    assert change(here, badr.password, NEW).status_code == 303
    page = here.get("/account/password?lang=en")
    assert "Your password was changed." in page.text
    assert there.get("/account/password").status_code == 302


def test_new_password_opens_the_door_and_the_old_one_does_not(client_of, app, badr):
    change(client_of(badr), badr.password, NEW)
    with pytest.raises(AssertionError):
        sign_in(app.test_client(), badr)
    sign_in(app.test_client(), type(badr)(badr.username, "", "", NEW))


@pytest.mark.parametrize(
    ("current", "new", "again", "said"),
    [
        ("not the password", NEW, NEW, "This is not your password."),
        ("a lead of two metres", "short", "short", "must have 10 to 128 characters"),
        ("a lead of two metres", NEW, "something else", "The two are not the same."),
        ("", "", "", "Enter a new password."),
    ],
)
def test_refusal_is_said_at_the_field(client_of, badr, current, new, again, said):
    answer = change(client_of(badr), current, new, again)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_guessing_here_locks_the_name_as_at_the_door(client_of, badr):
    client = client_of(badr)
    codes = [change(client, "not the password", NEW).status_code for _ in range(6)]
    assert codes == [422] * 4 + [429] * 2


def test_page_needs_a_signed_in_person(client):
    assert client.get("/account/password").location == "/sign-in?next=/account/password"
