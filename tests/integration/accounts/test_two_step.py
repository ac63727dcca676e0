"""Two-step verification: setting it up, codes at the door, and ways out."""

import re
import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from k9ops.accounts import services, two_step, two_step_codes
from k9ops.accounts.errors import CodeNeeded, SignInLocked, SignInRefused
from k9ops.accounts.models import RecoveryCode, SignInTry, TwoStep, User
from k9ops.accounts.queries import find_user
from k9ops.audit.models import AuditEntry
from k9ops.core import clock
from k9ops.core.db import db
from tests.support.codes import begin, code_of, other_than, switch_on
from tests.support.databases import on_one_kind
from tests.support.pages import faults, send, words_of
from tests.support.people import csrf_token
from tests.support.statements import counted

PAGE = "/account/two-step"


def actions() -> list[str]:
    return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id.desc())))


def half_way(client, person, **fields: str):
    token = csrf_token(client.get("/sign-in?lang=en").text)
    data = {"username": person.username, "password": person.password, "csrf_token": token}
    return client.post("/sign-in", data={**data, **fields})


def enter(client, code: str):
    token = csrf_token(client.get("/sign-in/code").text)
    return client.post("/sign-in/code?lang=en", data={"code": code, "csrf_token": token})


def is_in(client) -> bool:
    return client.get("/account").status_code == 200


def shown_codes(page: str) -> list[str]:
    return re.search(r'<pre class="secrets[^>]*>([^<]+)</pre>', page)[1].split("\n")


def test_it_is_set_up_by_password_picture_and_code(client_of, app, badr):
    client = client_of(badr)
    assert "This is not your password." in send(client, PAGE, do="begin", password="no").text
    assert send(client, PAGE, do="begin", password=badr.password).status_code == 303
    page = client.get(f"{PAGE}?lang=en").text
    secret = re.search(r'class="mono key"[^>]*>([A-Z2-7 ]+)<', page)[1]
    assert "<svg" in page
    wrong = send(client, PAGE, do="on", code=other_than(code_of(secret)))
    assert (wrong.status_code, "This is not the code." in faults(wrong.text)["code"]) == (422, True)
    done = send(client, PAGE, do="on", code=code_of(secret))
    codes = shown_codes(done.text)
    assert len(set(codes)) == 10
    assert "On since" in client.get(f"{PAGE}?lang=en").text
    with app.app_context():
        assert actions()[0] == "two_step.switched_on"
        row = db.session.scalars(select(TwoStep)).one()
        assert secret.replace(" ", "") not in row.secret
        kept = str(db.session.scalars(select(RecoveryCode.code_sha256)).all())
        assert not [code for code in codes if two_step_codes.plain(code) in kept]


def test_it_does_not_hold_before_it_was_proved(app, client, badr):
    begin(app, badr)
    half_way(client, badr)
    assert is_in(client)


def test_sign_in_needs_the_code_after_the_password(app, client, badr):
    secret, _ = switch_on(app, badr)
    answer = half_way(client, badr, next="/notifications", remember="y")
    assert (answer.status_code, answer.location) == (303, "/sign-in/code")
    assert not is_in(client)
    with app.app_context():
        assert find_user("badr").last_sign_in_at is None
        assert "user.signed_in" not in actions()
    answer = enter(client, code_of(secret))
    assert (answer.status_code, answer.location) == (303, "/notifications")
    assert is_in(client)
    with client.session_transaction() as kept:
        assert kept.permanent
        assert "half_way" not in kept
    with app.app_context():
        assert find_user("badr").last_sign_in_at is not None
        entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert (entry.action, entry.detail) == ("user.signed_in", {"two_step": "app"})


@on_one_kind
def test_sign_in_leads_to_the_home_page_when_the_address_fits_no_cookie(app, client, badr):
    secret, _ = switch_on(app, badr)
    half_way(client, badr, next=f"/notifications?{secrets.token_hex(2500)}")
    assert enter(client, code_of(secret)).location == "/"


@on_one_kind
def test_digits_count_in_whatever_script_and_groups(app, client, badr):
    secret, _ = switch_on(app, badr)
    half_way(client, badr)
    arabic = code_of(secret).translate({ord(str(n)): chr(0x660 + n) for n in range(10)})
    enter(client, f" {arabic[:3]} {arabic[3:]}")
    assert is_in(client)


def test_code_is_taken_once(app, badr):
    secret, _ = switch_on(app, badr)
    code = code_of(secret)
    with app.app_context():
        user = find_user("badr")
        services.sign_in_by_code(user, code, ip=None)
        with pytest.raises(SignInRefused):
            services.sign_in_by_code(user, code, ip=None)
        with pytest.raises(SignInRefused):  # nor an older one, though it still holds
            services.sign_in_by_code(user, code_of(secret, -1), ip=None)


def test_code_is_taken_once_when_many_send_it_at_once(app, badr):
    secret, _ = switch_on(app, badr)
    code = code_of(secret)

    def attempt(_: int) -> bool:
        with app.app_context():
            user = find_user("badr")
            try:
                services.sign_in_by_code(user, code, ip=None)
            except (SignInRefused, SignInLocked):
                return False
            return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(attempt, range(4))) == 1


def test_code_that_was_used_to_set_it_up_opens_nothing(app, badr):
    secret = begin(app, badr)
    with app.app_context():
        user = find_user("badr")
        code = code_of(secret)
        two_step.switch_on(user, code, actor=services.COMMAND_LINE)
        with pytest.raises(SignInRefused):
            services.sign_in_by_code(user, code, ip=None)


def test_code_too_early_or_too_late_is_wrong(app, badr):
    secret, _ = switch_on(app, badr)
    with app.app_context():
        for steps in (-3, 3):
            with pytest.raises(SignInRefused):
                services.sign_in_by_code(find_user("badr"), code_of(secret, steps), ip=None)


def test_wrong_codes_lock_the_name_and_no_right_password_forgets_them(app, client, badr):
    secret, _ = switch_on(app, badr)
    for left in (4, 3, 2, 1):
        half_way(client, badr)
        answer = enter(client, other_than(code_of(secret)))
        assert answer.status_code == 422
        assert f"{left} {'try is' if left == 1 else 'tries are'} left" in answer.text
    half_way(client, badr)
    answer = enter(client, other_than(code_of(secret)))
    assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (429, True)
    assert enter(client, code_of(secret)).status_code == 429
    assert half_way(client, badr).status_code == 429
    assert not is_in(client)


def test_right_code_forgets_the_wrong_ones(app, badr):
    secret, _ = switch_on(app, badr)
    with app.app_context():
        user = find_user("badr")
        with pytest.raises(SignInRefused):
            services.sign_in_by_code(user, other_than(code_of(secret)), ip=None)
        with pytest.raises(CodeNeeded):
            services.sign_in("badr", badr.password, ip=None)
        assert db.session.scalars(select(SignInTry.failed)).one() == 1
        services.sign_in_by_code(user, code_of(secret), ip=None)
        assert db.session.scalars(select(SignInTry)).all() == []


def test_recovery_code_opens_once(app, client, badr):
    _, codes = switch_on(app, badr)
    half_way(client, badr)
    assert enter(client, codes[0]).status_code == 303
    assert "9 recovery codes are left." in client.get("/account?lang=en").text
    with app.app_context(), pytest.raises(SignInRefused):
        services.sign_in_by_code(find_user("badr"), codes[0], ip=None)


def test_recovery_codes_of_somebody_else_open_nothing(app, badr, amal):
    _, codes = switch_on(app, badr)
    switch_on(app, amal)
    with app.app_context(), pytest.raises(SignInRefused):
        services.sign_in_by_code(find_user("amal"), codes[0], ip=None)


def test_new_codes_take_the_place_of_the_old(app, client_of, badr):
    _, old = switch_on(app, badr)
    client = client_of(badr)
    assert "neither your password nor" in send(client, PAGE, do="codes", proof="000000").text
    new = shown_codes(send(client, PAGE, do="codes", proof=badr.password).text)
    assert not {*old} & {*new}
    with app.app_context():
        with pytest.raises(SignInRefused):
            services.sign_in_by_code(find_user("badr"), old[1], ip=None)
        services.sign_in_by_code(find_user("badr"), new[1], ip=None)


@pytest.mark.parametrize("by", ["password", "code", "recovery code"])
def test_it_is_switched_off_by_password_or_code(app, client_of, badr, by):
    secret, codes = switch_on(app, badr)
    proof = {"password": badr.password, "code": code_of(secret), "recovery code": codes[3]}[by]
    client = client_of(badr)
    assert send(client, PAGE, do="off", proof="wrong").status_code == 422
    assert send(client, PAGE, do="off", proof=proof).status_code == 303
    with app.app_context():
        assert actions()[0] == "two_step.switched_off"
        assert db.session.scalars(select(RecoveryCode)).all() == []
        services.sign_in("badr", badr.password, ip=None)


def test_wrong_proofs_are_counted_with_the_wrong_tries_at_the_door(app, client_of, badr):
    _, codes = switch_on(app, badr)
    client = client_of(badr)
    statuses = [send(client, PAGE, do="off", proof="000000").status_code for _ in range(5)]
    assert statuses == [422, 422, 422, 422, 422]
    assert "Too many wrong tries" in send(client, PAGE, do="off", proof=codes[0]).text
    with app.app_context():
        assert two_step_codes.two_step_of(find_user("badr").id)


@pytest.mark.parametrize("change", ["time", "password", "off", "inactive"])
def test_half_way_ends_when_it_no_longer_fits(app, client, badr, change):
    secret, _ = switch_on(app, badr)
    half_way(client, badr)
    with app.app_context():
        user = find_user("badr")
        if change == "password":
            services.set_password("badr", "eight quiet kennels", actor=services.COMMAND_LINE)
        elif change == "off":
            two_step.reset(user, actor=services.COMMAND_LINE)
        elif change == "inactive":
            user.active = False
            db.session.commit()
    try:
        clock.set_offset(601 if change == "time" else 0)
        assert client.get("/sign-in/code").location == "/sign-in"
        token = csrf_token(client.get("/sign-in").text)
        data = {"code": code_of(secret), "csrf_token": token}
        assert client.post("/sign-in/code", data=data).location == "/sign-in"
    finally:
        clock.set_offset(0)
    assert not is_in(client)


def test_who_was_too_long_on_the_way_is_told_once(app, client, badr):
    switch_on(app, badr)
    half_way(client, badr)
    try:
        clock.set_offset(601)
        client.get("/sign-in/code")
    finally:
        clock.set_offset(0)
    assert "That took too long" in client.get("/sign-in?lang=en").text
    client.get("/sign-in/code")
    assert "That took too long" not in client.get("/sign-in?lang=en").text


def test_who_knows_the_password_leaves_a_trace_and_the_person_is_told(app, client_of, badr):
    secret, _ = switch_on(app, badr)
    owner = client_of(badr)
    with app.app_context():
        user = find_user("badr")
        for _ in range(4):
            with pytest.raises(SignInRefused):
                services.sign_in_by_code(user, other_than(code_of(secret)), ip=None)
        entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry.action == "user.sign_in_refused"
        assert entry.detail == {"tries_left": 1, "two_step": "wrong"}
        assert "Wrong codes" not in words_of(owner.get("/notifications?lang=en"))
        with pytest.raises(SignInLocked):
            services.sign_in_by_code(user, other_than(code_of(secret)), ip=None)
    assert "Wrong codes locked your sign-in" in words_of(owner.get("/notifications?lang=en"))


@pytest.mark.parametrize("proof", ["a password", "123", "12345 in words", "1234567", "12345 67890"])
def test_what_cannot_be_a_code_writes_nothing(app, badr, proof):
    switch_on(app, badr)
    with app.app_context():
        user_id = find_user("badr").id
        with counted(app) as statements:
            assert two_step_codes.uses_code(user_id, proof) == ""
        assert statements == []


def test_each_form_of_the_page_has_one_button(app, client_of, badr):
    """Or Enter presses the first one: new codes for who switches it off."""
    switch_on(app, badr)
    page = client_of(badr).get(PAGE).text
    forms = [form for form in re.findall(r"<form.*?</form>", page, re.DOTALL) if "proof" in form]
    buttons = [re.findall(r'<button[^>]*value="(\w+)"', form) for form in forms]
    assert buttons == [["codes"], ["off"]]
    assert page.count('id="proof"') == page.count('id="proof-off"') == 1


def test_fault_stands_in_the_form_that_was_sent(app, client_of, badr):
    switch_on(app, badr)
    client = client_of(badr)
    assert [*faults(send(client, PAGE, do="codes", proof="x").text)] == ["proof"]
    page = send(client, PAGE, do="off", proof="x").text
    assert 'id="proof-off-fault"' in page
    assert 'id="proof-fault"' not in page


@pytest.mark.parametrize("by", ["password", "code"])
def test_two_renewals_at_once_leave_ten_codes(app, badr, by):
    _, codes = switch_on(app, badr)
    proofs = [badr.password] * 3 if by == "password" else codes[:3]

    def renew(proof: str) -> None:
        with app.app_context():
            two_step.renew_codes(find_user("badr"), proof, actor=services.COMMAND_LINE)

    with ThreadPoolExecutor(3) as pool:
        done = [pool.submit(renew, proof) for proof in proofs]
    with app.app_context():
        assert two_step_codes.recovery_codes_left(find_user("badr").id) == 10
    assert [one.exception() for one in done].count(None) >= 1


@on_one_kind
def test_code_page_is_nothing_for_who_has_not_come_half_way(client):
    assert client.get("/sign-in/code").location == "/sign-in"


@on_one_kind
def test_what_was_begun_is_forgotten_after_an_hour(app, client_of, badr):
    secret = begin(app, badr)
    client = client_of(badr)
    with app.app_context():
        long_ago = clock.utcnow() - two_step_codes.UNPROVED
        db.session.execute(update(TwoStep).values(begun_at=long_ago))
        db.session.commit()
    assert "Set it up" in client.get(f"{PAGE}?lang=en").text
    assert send(client, PAGE, do="on", code=code_of(secret)).status_code == 409


@on_one_kind
@pytest.mark.parametrize("do", ["begin", "on", "codes", "off", "", "other"])
def test_stale_forms_are_answered_clearly(app, client_of, badr, do):
    switch_on(app, badr)
    fields = {"password": "x", "code": "123456", "proof": "x"}
    assert send(client_of(badr), PAGE, do=do, **fields).status_code in (303, 409, 422)


def test_recovery_codes_still_open_after_the_secret_key_was_changed(make_app, badr):
    secret, codes = switch_on(make_app(), badr)
    with make_app(secret_key="another one").app_context():
        user = find_user("badr")
        with pytest.raises(SignInRefused):
            services.sign_in_by_code(user, code_of(secret), ip=None)
        assert services.sign_in_by_code(user, codes[0], ip=None).username == "badr"


def test_tokens_of_programs_need_no_code(app, client, badr):
    from k9ops.accounts.api_tokens import create_token

    switch_on(app, badr)
    with app.app_context():
        text, _ = create_token("badr", "ci", days=None, actor=services.COMMAND_LINE)
    headers = {"Authorization": f"Bearer {text}"}
    assert client.get("/api/v1/runs/1", headers=headers).status_code == 403


def test_nothing_of_it_is_left_when_a_person_goes(app, badr):
    switch_on(app, badr)
    with app.app_context():
        user = find_user("badr")
        db.session.execute(User.__table__.delete().where(User.id == user.id))
        assert db.session.scalars(select(TwoStep)).all() == []
        db.session.rollback()
