"""The people of the tests: Amal administrates, Badr handles dogs, Caline manages projects."""

import re
from dataclasses import dataclass

from flask import Flask, session
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf


@dataclass(frozen=True)
class Person:
    """Someone who can sign in."""

    username: str
    full_name: str
    role: str
    password: str


AMAL = Person("amal", "Amal Haddad", "administrator", "seven quiet kennels")
BADR = Person("badr", "Badr Salem", "handler", "a lead of two metres")
CALINE = Person("caline", "Caline Khoury", "project_manager", "harbour gate at dawn")
PEOPLE = (AMAL, BADR, CALINE)


def add_people(app: Flask) -> None:
    from k9ops.accounts.permissions import Role
    from k9ops.accounts.services import NewUser, create_user
    from k9ops.audit.services import COMMAND_LINE

    with app.app_context():
        for one in PEOPLE:
            new = NewUser(one.username, one.password, Role(one.role), one.full_name)
            create_user(new, actor=COMMAND_LINE)


def csrf_token(page: str) -> str:
    """The token hidden in a page's form."""
    field = re.search(r'<input[^>]*name="csrf_token"[^>]*>', page)
    assert field, "the page has no form with a token"
    return re.search(r'value="([^"]+)"', field.group())[1]


def form_token(client: FlaskClient) -> str:
    """A token of the client's session, without a page that shows one."""
    with client.application.test_request_context(), client.session_transaction() as kept:
        session.update(kept)
        token = generate_csrf()
        kept.update(session)
    return token


def sign_in(client: FlaskClient, person: Person) -> FlaskClient:
    """Sign in through the page, as people do."""
    token = csrf_token(client.get("/sign-in?lang=en").text)
    fields = {"username": person.username, "password": person.password, "csrf_token": token}
    answer = client.post("/sign-in", data=fields)
    assert answer.status_code in (302, 303), answer.text
    return client


def signed_in_client(app: Flask, person: Person) -> FlaskClient:
    """A client with a session that reads English, without the quarter second of a password."""
    from k9ops.accounts.queries import find_user
    from k9ops.accounts.sessions import begin_session

    client = app.test_client()
    with app.test_request_context(), client.session_transaction() as kept:
        begin_session(find_user(person.username), remember=False)
        kept.update(session, language="en")
    return client
