"""Two-step verification, reset for somebody who lost it."""

import json

from sqlalchemy import select

from k9ops.accounts import services, two_step_codes
from k9ops.accounts.queries import find_user
from k9ops.audit.models import AuditEntry
from k9ops.core.db import db
from tests.support.codes import switch_on
from tests.support.pages import send, words_of

NEWEST = select(AuditEntry.action).order_by(AuditEntry.id.desc()).limit(1)


def test_administrator_resets_it_and_the_person_is_told(app, client_of, amal, badr):
    switch_on(app, badr)
    with app.app_context():
        url = f"/users/{find_user('badr').id}"
    admin = client_of(amal)
    assert f"{url}/two-step/reset" in admin.get(url).text
    assert "Reset the two-step verification of" in admin.get(f"{url}/two-step/reset?lang=en").text
    assert send(admin, f"{url}/two-step/reset").status_code == 303
    assert "signs in by the password alone now" in admin.get(url).text
    assert "Your two-step verification was reset" in words_of(client_of(badr).get("/notifications"))
    with app.app_context():
        assert db.session.scalar(NEWEST) == "two_step.reset"
        services.sign_in("badr", badr.password, ip=None)
    send(admin, f"{url}/two-step/reset")
    assert "is not on for this person" in admin.get(url).text


def test_administrator_does_not_reset_their_own(app, client_of, amal):
    switch_on(app, amal)
    with app.app_context():
        url = f"/users/{find_user('amal').id}"
    client = client_of(amal)
    assert "/two-step/reset" not in client.get(url).text
    send(client, f"{url}/two-step/reset")
    with app.app_context():
        assert two_step_codes.two_step_of(find_user("amal").id)


def test_command_resets_it(app, runner, badr):
    switch_on(app, badr)
    answer = runner.invoke(args=["reset-two-step", "BADR", "--json"])
    assert (answer.exit_code, json.loads(answer.stdout)) == (0, {"username": "badr"})
    again = runner.invoke(args=["reset-two-step", "badr", "--json"])
    assert (again.exit_code, json.loads(again.stdout)["error"]["code"]) == (1, "conflict")
