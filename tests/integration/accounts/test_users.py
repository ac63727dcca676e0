"""The pages of people who sign in, and that an administrator is always left."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from k9ops.accounts import managing, services
from k9ops.accounts.managing import UserValues
from k9ops.accounts.models import User
from k9ops.accounts.permissions import Role
from k9ops.accounts.queries import find_user
from k9ops.accounts.services import email_address
from k9ops.audit.models import AuditEntry
from k9ops.audit.services import COMMAND_LINE
from k9ops.core.db import db
from k9ops.core.errors import BadInput, Conflict
from tests.support.databases import on_one_kind
from tests.support.people import Person, form_token, sign_in
from tests.support.statements import counted


def post(client, path: str, **fields: str):
    token = form_token(client)
    return client.post(path, data={"csrf_token": token, **fields})


def id_of(app, username: str) -> int:
    with app.app_context():
        return find_user(username).id


def shown_secret(page: str) -> str:
    return re.search(r'<pre class="secrets[^>]*>([^<]+)</pre>', page)[1]


def newest_action() -> str:
    return db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id.desc())).first()


def test_list_is_searched_filtered_and_sorted(client_of, app, amal):
    client = client_of(amal)
    page = client.get("/users?lang=en").text
    assert "3 people may sign in" in page
    assert page.index("Amal Haddad") < page.index("Badr Salem") < page.index("Caline Khoury")
    with counted(app) as statements:
        found = client.get("/users?q=KHOURY&role=project_manager&active=yes&sort=last").text
    assert "Caline Khoury" in found
    assert "Badr Salem" not in found
    assert len(statements) <= 10
    assert "Nobody matches these filters" in client.get("/users?active=no").text


def test_list_is_sorted_by_the_last_sign_in_and_taken_along(client_of, app, amal, badr):
    client = client_of(amal)
    for person in (amal, badr):
        sign_in(app.test_client(), person)
    page = client.get("/users?sort=-last&lang=en").text.partition("<tbody>")[2]
    assert page.index("Badr Salem") < page.index("Amal Haddad") < page.index("Caline Khoury")
    file = client.get("/users/export/csv?sort=-last&role=handler&lang=en").data.decode("utf-8-sig")
    heads, badrs, *others = file.splitlines()
    assert heads.startswith("User name,Full name,Role,E-mail address,Added,Last sign-in,State")
    assert badrs.startswith("badr,Badr Salem,Handler,")
    assert others == []


def test_pages_are_for_administrators(client_of, badr, caline):
    for person in (badr, caline):
        assert client_of(person).get("/users").status_code == 403
        assert client_of(person).get("/users/export/csv").status_code == 403


def test_added_person_signs_in_with_the_password_that_is_shown_once(client_of, app, amal):
    client = client_of(amal)
    fields = {"username": "dana", "full_name": "Dana Saleh", "email": "", "role": "handler"}
    answer = post(client, "/users/new", **fields)
    assert answer.status_code == 200
    password = shown_secret(answer.text)
    sign_in(app.test_client(), Person("dana", "", "", password))
    page = client.get(f"/users/{id_of(app, 'dana')}").text
    assert "Dana Saleh" in page
    assert password not in page


def test_form_keeps_what_was_typed_and_names_each_fault(client_of, amal):
    fields = {"username": "AMAL", "full_name": "Somebody", "email": "nowhere", "role": "handler"}
    answer = post(client_of(amal), "/users/new", **fields)
    assert answer.status_code == 422
    assert 'value="Somebody"' in answer.text
    assert "This is no e-mail address." in answer.text
    taken = post(client_of(amal), "/users/new", **{**fields, "email": ""})
    assert "already taken" in taken.text


def test_change_is_kept_and_audited(client_of, app, amal):
    badr = id_of(app, "badr")
    client = client_of(amal)
    seen = re.search(r'name="seen" value="([^"]+)"', client.get(f"/users/{badr}/edit").text)[1]
    fields = {"full_name": "Badr S.", "email": "B@Unit.Example", "role": "project_manager"}
    assert post(client, f"/users/{badr}/edit", seen=seen, **fields).status_code == 303
    with app.app_context():
        user = find_user("badr")
        assert (user.full_name, user.email) == ("Badr S.", "b@unit.example")
        entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry.action == "user.changed"
        assert entry.detail["role"] == ["handler", "project_manager"]
    again = post(client, f"/users/{badr}/edit", seen=seen, **{**fields, "full_name": "B."})
    assert again.status_code == 422
    assert "Somebody changed this in the meantime" in again.text


def test_deactivated_person_is_out_at_once_and_comes_back(client_of, app, amal, badr):
    badrs, client, user_id = client_of(badr), client_of(amal), id_of(app, "badr")
    assert "Deactivate" in client.get(f"/users/{user_id}/deactivate").text
    assert post(client, f"/users/{user_id}/deactivate").status_code == 303
    assert badrs.get("/account").status_code == 302
    assert "Deactivated" in client.get(f"/users/{user_id}").text
    post(client, f"/users/{user_id}/reactivate")
    assert badrs.get("/account").status_code == 302
    assert client_of(badr).get("/account").status_code == 200


def test_last_administrator_is_neither_deactivated_nor_demoted(client_of, app, amal):
    client, user_id = client_of(amal), id_of(app, "amal")
    post(client, f"/users/{user_id}/deactivate")
    assert "This is the last administrator." in client.get("/account").text
    fields = {"full_name": "Amal", "email": "", "role": "handler"}
    answer = post(client, f"/users/{user_id}/edit", **fields)
    assert answer.status_code == 422
    assert "Make somebody else an administrator first." in answer.text
    with app.app_context():
        assert (find_user("amal").active, find_user("amal").role) == (True, "administrator")


@pytest.mark.parametrize("how", ["deactivate", "demote"])
def test_one_administrator_is_left_when_two_act_at_once(app, how: str):
    with app.app_context():
        db.session.execute(update(User).values(role=Role.ADMINISTRATOR))
        db.session.commit()
        everybody = list(db.session.scalars(select(User.id)))

    def act(user_id: int) -> bool:
        with app.app_context():
            try:
                if how == "deactivate":
                    managing.deactivate(user_id, actor=COMMAND_LINE)
                else:
                    values = UserValues("", None, Role.HANDLER)
                    managing.change_user(user_id, values, actor=COMMAND_LINE)
            except Conflict:
                return False
            return True

    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(act, everybody))
    assert sorted(done) == [False, True, True]
    with app.app_context():
        left = select(User.id).where(User.active, User.role == Role.ADMINISTRATOR)
        assert len(list(db.session.scalars(left))) == 1


def test_given_password_opens_and_ends_what_was_open(client_of, app, amal, badr):
    badrs, client = client_of(badr), client_of(amal)
    answer = post(client, f"/users/{id_of(app, 'badr')}/password")
    assert badrs.get("/account").status_code == 302
    sign_in(app.test_client(), Person("badr", "", "", shown_secret(answer.text)))


def test_sessions_and_tokens_of_a_person_are_seen_and_ended(client_of, app, amal, badr):
    one, two, client = client_of(badr), client_of(badr), client_of(amal)
    user_id = id_of(app, "badr")
    with app.app_context():
        from k9ops.accounts import api_tokens

        api_tokens.create_token("badr", "his script", days=2, actor=COMMAND_LINE)
    page = client.get(f"/users/{user_id}?lang=en").text
    assert "his script" in page
    ends = re.findall(rf"/users/{user_id}/sessions/\d+/end", page)
    assert len(ends) == 2
    post(client, ends[0])
    assert [one.get("/account").status_code, two.get("/account").status_code] == [200, 302]
    assert post(client, ends[0]).status_code == 404
    post(client, f"/users/{user_id}/sign-out-everywhere")
    assert one.get("/account").status_code == 302
    revoke = re.search(rf"/users/{user_id}/tokens/\d+/revoke", page)[0]
    assert "Revoke the token" in client.get(revoke).text
    post(client, revoke)
    assert "his script" not in client.get(f"/users/{user_id}").text
    assert client.get(revoke).status_code == 404
    with app.app_context():
        assert newest_action() == "token.revoked"


def test_unknown_person_is_not_found(client_of, amal):
    assert client_of(amal).get("/users/999").status_code == 404


def test_page_of_a_locked_name_says_until_when(client_of, app, amal):
    with app.app_context():
        for _ in range(5):
            with pytest.raises(services.K9Error):
                services.sign_in("badr", "not the password", ip=None)
    assert "Too many wrong tries" in client_of(amal).get(f"/users/{id_of(app, 'badr')}").text


@on_one_kind
@pytest.mark.parametrize(
    "address",
    [
        "a,b@unit.example",
        "a;b@unit.example",
        "<a@unit.example>",
        "م@unit.example",
        "a@unit..example",
        "a@\u202eunit.example",
        f"{'a' * 65}@unit.example",
        f"a@{'unit.' * 60}example",
    ],
)
def test_address_is_refused_when_no_letter_would_reach_it(context, address):
    with pytest.raises(BadInput):
        email_address(address)


@on_one_kind
@pytest.mark.parametrize("address", ["o'hara+k9@unit.example", "amal@الوحدة.example"])
def test_address_is_taken_when_letters_reach_it(context, address):
    assert email_address(address) == address
