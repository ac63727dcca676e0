"""Commands about people, as a person or a script types them."""

import json

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from k9ops.accounts import api_tokens, services
from k9ops.accounts.queries import find_user
from k9ops.app import create_app
from k9ops.audit.services import COMMAND_LINE
from tests.support.databases import dispose, make_settings, on_one_kind
from tests.support.people import AMAL

GOOD = "a long quiet evening"


def test_create_admin_takes_name_and_password_from_the_settings(make_app):
    runner = make_app(admin_username="chief", admin_password=GOOD).test_cli_runner()
    answer = runner.invoke(args=["create-admin", "--json"])
    assert answer.exit_code == 0
    assert (
        json.loads(answer.stdout).items() >= {"username": "chief", "role": "administrator"}.items()
    )
    assert GOOD not in answer.output


def test_create_admin_reads_the_password_from_standard_input(runner, app):
    answer = runner.invoke(args=["create-admin"], input=f"{GOOD}\n")
    assert (answer.exit_code, answer.stdout) == (0, "Made the administrator admin.\n")
    with app.app_context():
        assert services.sign_in("admin", GOOD, ip=None).role == "administrator"


@pytest.mark.parametrize(
    ("settings", "given", "code", "exit_code"),
    [
        ({"admin_username": "AMAL"}, GOOD, "conflict", 1),
        ({}, "short", "bad_input", 2),
        ({}, "", "bad_input", 2),
    ],
)
def test_create_admin_says_what_is_wrong(make_app, settings, given, code, exit_code):
    runner = make_app(**settings).test_cli_runner()
    answer = runner.invoke(args=["create-admin", "--json"], input=given)
    error = json.loads(answer.stdout)["error"]
    assert (error["code"], answer.exit_code) == (code, exit_code)
    assert error["message"]
    assert error["hint"]


def test_set_password_ends_what_the_old_one_opened(runner, app):
    answer = runner.invoke(args=["set-password", "AMAL", "--json"], input=GOOD)
    assert (answer.exit_code, json.loads(answer.stdout)) == (0, {"username": "amal"})
    with app.app_context():
        assert services.sign_in("amal", GOOD, ip=None).session_version == 2


def test_set_password_refuses_an_unknown_name(runner):
    answer = runner.invoke(args=["set-password", "nobody"], input="")
    assert answer.exit_code == 2
    assert "Nobody is called 'nobody'" in answer.stderr


def test_create_token_prints_it_alone_so_that_scripts_can_take_it(runner, app):
    answer = runner.invoke(args=["create-token", "amal"])
    assert answer.exit_code == 0
    assert answer.stdout.startswith("k9_")
    assert "shown only now" in answer.stderr


def test_create_token_tells_when_it_ends(runner):
    answer = runner.invoke(args=["create-token", "amal", "--name", "ci", "--days", "2", "--json"])
    document = json.loads(answer.stdout)
    assert document.keys() == {"token", "name", "username", "expires_at"}
    assert document["expires_at"].endswith("+00:00")


def test_wrong_usage_is_one_document_with_json(runner):
    answer = runner.invoke(args=["create-token", "amal", "--days", "soon", "--json"])
    error = json.loads(answer.stdout)["error"]
    assert (error["code"], error["field"], answer.exit_code) == ("usage", "days", 2)


def test_revoke_token_ends_it_once(runner, app):
    with app.app_context():
        api_tokens.create_token("amal", "ci", days=None, actor=COMMAND_LINE)
    answer = runner.invoke(args=["revoke-token", "amal", "ci", "--json"])
    assert json.loads(answer.stdout)["revoked"] == 1
    again = runner.invoke(args=["revoke-token", "amal", "ci", "--json"])
    assert (again.exit_code, json.loads(again.stdout)["error"]["code"]) == (2, "not_found")


def test_no_command_takes_a_password_as_an_option(app):
    options = {
        option
        for name in (
            "create-admin",
            "set-password",
            "create-token",
            "revoke-token",
            "reset-two-step",
        )
        for parameter in app.cli.commands[name].params
        for option in parameter.opts
    }
    assert not [option for option in options if "password" in option]


def test_commands_name_the_remedy_when_there_are_no_tables(tmp_path, databases, database_kind):
    url = databases.bare(database_kind)
    app = create_app(make_settings(tmp_path, database_url=url))
    answer = app.test_cli_runner().invoke(args=["create-token", AMAL.username, "--json"])
    error = json.loads(answer.stdout)["error"]
    assert (error["code"], answer.exit_code) == ("no_tables", 1)
    assert "flask db upgrade" in error["hint"]
    dispose(app)
    databases.drop(url)


@on_one_kind
def test_commands_name_the_remedy_when_the_database_is_damaged(tmp_path, app):
    (tmp_path / "garbage.db").write_bytes(b"garbage" * 1000)
    damaged = create_app(make_settings(tmp_path, database_url=f"sqlite:///{tmp_path}/garbage.db"))
    answer = damaged.test_cli_runner().invoke(args=["create-token", AMAL.username, "--json"])
    error = json.loads(answer.stdout)["error"]
    assert (error["code"], answer.exit_code) == ("no_database", 1)
    dispose(damaged)


@on_one_kind
def test_errors_of_the_database_tell_no_values(app):
    with app.app_context(), pytest.raises(DatabaseError) as failed:
        services.db.session.execute(text("SELECT :secret FROM nowhere"), {"secret": "hunter2"})
    assert "hunter2" not in str(failed.value)


@pytest.mark.parametrize("name", ["", " ", "x" * 201])
def test_create_token_refuses_a_name_that_cannot_be_kept(runner, name):
    answer = runner.invoke(args=["create-token", "amal", "--name", name, "--json"])
    assert (answer.exit_code, json.loads(answer.stdout)["error"]["field"]) == (2, "name")


def test_people_who_are_not_active_get_no_token(runner, app):
    with app.app_context():
        find_user("badr").active = False
        services.db.session.commit()
    answer = runner.invoke(args=["create-token", "badr", "--json"])
    assert json.loads(answer.stdout)["error"]["code"] == "conflict"
