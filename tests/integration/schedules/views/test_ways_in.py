"""Every address of the product that names a row, asked by people whom the row does not concern."""

import re

import pytest

from k9ops.projects.scope import EVERYTHING
from k9ops.schedules.queries import items_of
from k9ops.schedules.services import NewItem
from tests.support.backups import hashes
from tests.support.people import form_token
from tests.support.unit import plan, today

KEYS = ("day_id", "item_id", "project_id", "person_id", "dog_id", "assignment_id", "place_id")
#: What no row of the unit has, or no address may hold.
NO_KEYS = ("0", "-1", "2147483648", "9" * 30, "%00", "..%2f1")


@pytest.fixture
def far(unit, inside) -> dict[str, int]:
    """Keys of the airport, which is not Caline's: its day, its duty, its people and dogs."""
    duty = NewItem(unit.farid, unit.morning, unit.far)
    day = inside(plan, unit, today(), duty, project=unit.airport)
    item = inside(items_of, EVERYTHING, day)[0].id
    keys = {"day_id": day, "item_id": item, "project_id": unit.airport, "dog_id": unit.far}
    return {**keys, "person_id": unit.farid, "assignment_id": 1, "place_id": 1}


def addresses(app, fill):
    """Each address that names a row, with what it takes; `fill` gives the text of a key."""
    for rule in app.url_map.iter_rules():
        if rule.arguments and rule.arguments <= set(KEYS):
            path = re.sub(r"<[^>]*?(\w+)>", lambda found: str(fill(found[1])), rule.rule)
            for method in rule.methods & {"GET", "POST"}:
                yield method, path


def ask_all(client, found):
    """Ask for each address, by its form too; method and path with the answer."""
    token = form_token(client)
    fields = {"note": "x", "reason": "Not mine", "attendance": "absent", "name": "x"}
    for method, path in found:
        data = {"csrf_token": token, **fields} if method == "POST" else None
        yield f"{method} {path}", client.open(path, method=method, data=data)


@pytest.mark.parametrize("who", ["as_caline", "as_badr"])
def test_what_is_not_theirs_is_neither_shown_nor_changed(app, far, request, who, database_url):
    client = request.getfixturevalue(who)
    before, asked = hashes(database_url), 0
    for path, answer in ask_all(client, addresses(app, far.get)):
        assert answer.status_code in (403, 404), path
        assert "Farid" not in answer.text
        assert "فريد" not in answer.text
        asked += 1
    assert asked > 30
    assert hashes(database_url) == before


def test_key_that_no_row_has_is_answered_as_no_such_page(app, as_amal):
    for key in NO_KEYS:
        for path, answer in ask_all(as_amal, addresses(app, lambda _, key=key: key)):
            assert answer.status_code == 404, path


def test_form_without_its_token_changes_nothing(app, far, as_amal, database_url):
    before = hashes(database_url)
    for method, path in addresses(app, far.get):
        if method == "POST":
            answer = as_amal.post(path, data={"reason": "Not from a form of ours"})
            assert answer.status_code == 400, path
    assert hashes(database_url) == before
