"""Making people, the first administrator, and who may do what."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import func, select, update

from k9ops.accounts import services
from k9ops.accounts.models import User
from k9ops.accounts.passwords import is_password
from k9ops.accounts.permissions import PERMISSIONS, Role
from k9ops.accounts.queries import active_users_with, find_user
from k9ops.accounts.services import NewUser, create_user, ensure_first_admin
from k9ops.audit.queries import AuditFilter, list_entries
from k9ops.audit.services import COMMAND_LINE
from k9ops.core.db import db
from k9ops.core.errors import BadInput, Conflict
from k9ops.core.settings import current_settings
from tests.support.databases import on_one_kind

GOOD = "a long quiet evening"


def add(username: str = "Dana", password: str = GOOD, **more) -> User:
    return create_user(NewUser(username, password, Role.HANDLER, **more), actor=COMMAND_LINE)


def no_administrators() -> None:
    db.session.execute(update(User).where(User.username == "amal").values(active=False))
    db.session.commit()


def test_create_user_keeps_a_hash_and_an_audit_entry(context):
    user = add("Dana", full_name="Dana Saleh", email="Dana@Unit.Example")
    assert user.password_hash.startswith("$argon2id$")
    assert user.email == "dana@unit.example"
    entry = list_entries(db.session(), AuditFilter(action="user.created"), limit=1).items[0]
    assert (entry.actor_name, entry.target_name) == ("command line", "Dana")
    assert GOOD not in str(entry.detail)


@pytest.mark.parametrize("name", ["AMAL", "Amal", "ａｍａｌ"])
def test_create_user_refuses_a_name_that_differs_only_in_letter_case(context, name: str):
    with pytest.raises(Conflict) as refusal:
        add(name)
    assert refusal.value.field == "username"


def test_create_user_refuses_an_address_that_somebody_has(context):
    add("dana", email="one@unit.example")
    with pytest.raises(Conflict) as refusal:
        add("rana", email="ONE@unit.example")
    assert refusal.value.field == "email"


@on_one_kind
@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("username", {"username": "x"}),
        ("username", {"username": "two  spaces"}),
        ("username", {"username": "nul\0byte"}),
        ("username", {"username": "x" * 65}),
        ("email", {"email": "nobody"}),
        ("full_name", {"full_name": "x" * 201}),
        ("password", {"password": "short"}),
    ],
)
def test_create_user_names_the_field_at_fault(context, field: str, values: dict[str, str]):
    with pytest.raises(BadInput) as refusal:
        add(**values)
    assert refusal.value.field == field


def test_create_user_makes_one_of_many_at_once(app: Flask):
    def make(_: int) -> bool:
        with app.app_context():
            try:
                add("Dana")
            except Conflict:
                return False
            return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(make, range(6))) == 1


def test_first_admin_is_made_up_once(context):
    no_administrators()
    name, password = ensure_first_admin(current_settings())
    assert name == "admin"
    assert is_password(find_user("admin").password_hash, password)
    assert ensure_first_admin(current_settings()) is None


def test_first_admin_takes_the_settings_password_and_tells_it_nobody(make_app):
    app = make_app(admin_username="chief", admin_password=GOOD)
    with app.app_context():
        no_administrators()
        assert ensure_first_admin(current_settings()) is None
        chief = find_user("chief")
        assert (chief.role, is_password(chief.password_hash, GOOD)) == ("administrator", True)


def test_first_admin_is_one_when_several_processes_start_at_once(app: Flask):
    def start(_: int) -> object:
        with app.app_context():
            return ensure_first_admin(current_settings())

    with app.app_context():
        no_administrators()
    with ThreadPoolExecutor(6) as pool:
        told = [answer for answer in pool.map(start, range(6)) if answer]
    with app.app_context():
        count = db.session.scalar(
            select(func.count()).select_from(User).where(User.username == "admin")
        )
    assert (len(told), count) == (1, 1)


def test_administrator_holds_every_permission_and_others_what_their_work_needs(context):
    held = {
        name: {word for word in PERMISSIONS if find_user(name).can(word)}
        for name in ("amal", "badr", "caline")
    }
    assert held["amal"] == PERMISSIONS
    assert held["badr"] == {"schedules.view"}
    unwanted = {"projects.all", "projects.edit", "schedules.unlock", "jobs.view", "backups.view",
                "shifts.edit"}  # fmt: skip
    assert held["badr"] < held["caline"] < PERMISSIONS - unwanted


def test_nobody_holds_what_does_not_exist_nor_anything_when_inactive(context):
    amal = find_user("amal")
    assert not amal.can("jobs.veiw")
    amal.active = False
    assert not amal.can("jobs.view")


def test_active_users_with_leaves_out_the_inactive(context):
    assert active_users_with(db.session(), "runs.manage") == [find_user("amal").id]
    no_administrators()
    assert active_users_with(db.session(), "runs.manage") == []


def test_outdated_hash_is_renewed_at_the_next_sign_in(context, amal):
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(amal.password)
    find_user("amal").password_hash = weak
    db.session.commit()
    services.sign_in("amal", amal.password, ip=None)
    renewed = find_user("amal").password_hash
    assert renewed != weak
    assert is_password(renewed, amal.password)
