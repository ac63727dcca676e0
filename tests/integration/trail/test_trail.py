"""The audit log as a page: sentences, filters, the history of one thing, files."""

import ast
import csv
import re
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

import k9ops
from k9ops.accounts.queries import get_user
from k9ops.audit.models import AuditEntry
from k9ops.audit.services import COMMAND_LINE, Actor, Target, record
from k9ops.core.db import db
from k9ops.kennel.models import Dog
from k9ops.kennel.services import DogValues, change_dog
from k9ops.trail import queries
from k9ops.trail.acts import ACTS
from tests.support.pages import words_of
from tests.support.unit import add_unit

ACTION = re.compile(r"[a-z_]+\.[a-z_]+")
#: Functions that hand an action on to `record`.
RECORDERS = ("record", "note", "_note", "_record")


@pytest.fixture
def unit(app):
    return add_unit(app)


@pytest.fixture
def page(client_of, amal) -> FlaskClient:
    return client_of(amal)


@pytest.fixture
def act(app):
    """Write an entry."""

    def write(action: str, target: Target, actor: Actor = COMMAND_LINE, **detail: object) -> int:
        with app.app_context():
            record(db.session(), actor, action, target, detail)
            db.session.commit()
            return db.session.scalar(select(AuditEntry.id).order_by(AuditEntry.id.desc()))

    return write


def told(page: FlaskClient, query: str = "") -> list[str]:
    text = page.get(f"/audit?lang=en&{query}").text
    found = re.findall(r'<span class="sentence">(.*?)</span>', text)
    return [one.replace("\u2068", "").replace("\u2069", "") for one in found]


def actions_of_the_code() -> set[str]:
    """Every action that some call writes down."""
    found = set()
    for path in Path(k9ops.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                found |= set(_actions_of(node))
    return found


def _actions_of(call: ast.Call):
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    texts = [one for arg in call.args for one in ast.walk(arg) if isinstance(one, ast.Constant)]
    if name in RECORDERS:
        for one in texts:
            if isinstance(one.value, str) and ACTION.fullmatch(one.value):
                yield one.value
    if name == "keep":
        for word in call.keywords:
            if word.arg == "kind" and isinstance(word.value, ast.Constant):
                yield from (f"{word.value.value}.added", f"{word.value.value}.changed")


def test_every_action_of_the_code_has_words():
    found = actions_of_the_code()
    assert {"dog.changed", "schedule.locked", "run.cancelled", "user.created"} <= found
    assert found - set(ACTS) == set()


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("action", [*ACTS, "weather.turned_bad"])
def test_every_act_can_be_read(app, act, page, action, language):
    act(action, Target("thing", 5, "Rex"), a=["x", "y"], b={"c": [1, None]}, d=None, e=True)
    answer = page.get(f"/audit?lang={language}")
    assert answer.status_code == 200
    assert "%(" not in answer.text


def test_a_change_is_one_sentence_with_names_and_words(app, page, unit, amal):
    with app.app_context():
        dog = db.session.get(Dog, unit.rex)
        values = {n: getattr(dog, n) for n in DogValues.__dataclass_fields__}
        actor = Actor("amal", get_user("amal").id, "10.1.2.3")
        change_dog(dog.id, DogValues(**values | {"fitness": "light"}), actor=actor)
        change_dog(dog.id, DogValues(**values | {"handler_id": unit.dalia}), actor=actor)
    assert told(page)[1] == "Amal Haddad changed the dog ركس: Fitness from Fit to Light duty"
    text = words_of(page.get("/audit?lang=en"))
    assert "Dog handler Badr Salem Dalia Nasr" in text
    assert "10.1.2.3" in text
    assert "غيّر" in page.get("/audit?lang=ar").text


def test_role_is_told_by_its_title(page, act):
    act("user.changed", Target("user", 2, "badr"), role=["handler", "project_manager"])
    assert told(page)[0].endswith(": Role from Handler to Project manager")


def test_unknown_actions_and_fields_read_decently(page, act):
    act("weather.turned_bad", Target("sky", "", "North"), wind_speed=[3, 70])
    assert told(page)[0] == "Command line: weather turned bad, North: wind speed from 3 to 70"


def test_parts_of_the_product_have_names(page, act):
    act("schedule.locked", Target("duty_schedule", 1), Actor("schedules.auto_lock_schedules 01"))
    assert told(page)[0].startswith("Lock days of duty") or "locked" in told(page)[0]
    assert "auto_lock" not in told(page)[0]


def test_filters_are_by_person_action_thing_and_words(app, page, act):
    with app.app_context():
        badr = get_user("badr").id
    act("dog.added", Target("dog", 1, "Rex"), Actor("badr", badr))
    act("dog.changed", Target("dog", 2, "Luna"))
    assert told(page, f"by={badr}") == ["Badr Salem added the dog Rex"]
    assert told(page, "action=dog.changed") == ["Command line changed the dog Luna"]
    assert len(told(page, "kind=dog")) == 2
    assert told(page, "q=luna") == ["Command line changed the dog Luna"]
    assert told(page, "kind=dog&id=1") == ["Badr Salem added the dog Rex"]
    assert "The history of Dog Rex alone" in words_of(page.get("/audit?kind=dog&id=1&lang=en"))


def test_time_is_from_a_day_to_a_day_of_the_units_clock(app, page, act):
    first = act("dog.added", Target("dog", 1, "Old"))
    second = act("dog.added", Target("dog", 2, "New"))
    with app.app_context():
        for entry, at in (
            (first, datetime(2026, 3, 1, 20, 59, tzinfo=UTC)),
            (second, datetime(2026, 3, 1, 21, 1, tzinfo=UTC)),
        ):
            db.session.execute(update(AuditEntry).where(AuditEntry.id == entry).values(at=at))
        db.session.commit()
    asked = "kind=dog&from={}&to={}"
    assert told(page, asked.format("2026-03-01", "2026-03-01")) == [
        "Command line added the dog Old"
    ]
    assert told(page, asked.format("2026-03-02", "2026-03-02")) == [
        "Command line added the dog New"
    ]
    assert len(told(page, asked.format("0001-01-01", "9999-12-31"))) == 2
    assert len(told(page, asked.format("yesterday", "x"))) == 2


def test_words_are_looked_for_among_the_newest(app, page, act, monkeypatch):
    act("dog.added", Target("dog", 1, "Needle"))
    assert len(told(page, "q=needle")) == 1
    monkeypatch.setattr(queries, "SEARCHED", 1)
    act("dog.added", Target("dog", 2, "Hay"))
    assert told(page, "q=needle") == []


def test_pages_turn_by_key_and_keep_the_filters(page, act):
    for number in range(30):
        act("dog.added", Target("dog", number, f"Dog {number}"))
    text = page.get("/audit?kind=dog&lang=en").text
    older = re.search(r'rel="next" href="([^"]+)"', text)[1].replace("&amp;", "&")
    assert "kind=dog" in older
    assert len(told(page, older.partition("?")[2])) == 5


def test_things_lead_to_their_pages_and_to_their_history(page, act, unit):
    act("dog.changed", Target("dog", unit.rex, "Rex"))
    text = page.get("/audit?kind=dog").text
    assert f'href="/dogs/{unit.rex}"' in text
    assert f'href="/audit?kind=dog&amp;id={unit.rex}"' in text
    for thing in (f"/dogs/{unit.rex}", f"/people/{unit.badr}", f"/projects/{unit.harbour}"):
        kind = {"d": "dog", "p": "person"}[thing[1]] if "project" not in thing else "project"
        assert (
            f'href="/audit?kind={kind}&amp;id={thing.rpartition("/")[2]}"' in page.get(thing).text
        )


def test_file_tells_the_sentences_and_the_changes(page, act):
    act("dog.changed", Target("dog", 1, "=Rex"), fitness=["fit", "unfit"], status=["active", "x"])
    rows = page.get("/audit/export/csv?kind=dog&lang=en").data.decode("utf-8-sig")
    found = list(csv.reader(StringIO(rows, newline="")))[1]
    assert found[3:6] == ["Dog changed", "Dog", "'=Rex"]
    assert found[6:] == [
        "Command line changed the dog =Rex",
        "Fitness: Fit → Unfit; Status: On duty → x",
    ]


@pytest.mark.parametrize(
    "empty", ["kind=dog", "q=nobody+at+all", "from=2199-01-01", "id=%00&kind=dog"]
)
def test_nothing_found_is_said_with_the_way_out(page, empty):
    assert "Clear the filters" in page.get(f"/audit?{empty}&lang=en").text


def test_only_administrators_read_it(client_of, caline, badr, client):
    for person in (caline, badr):
        assert client_of(person).get("/audit").status_code == 403
        assert client_of(person).get("/audit/export/csv").status_code == 403
        assert "/audit" not in client_of(person).get("/more").text
    assert client.get("/audit").location.startswith("/sign-in")
