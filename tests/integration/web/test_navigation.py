"""The places of each role: those that it may open, no other, and none that is dead."""

import re

import pytest

from k9ops.web.nav import _chrome

PLACES = {
    "amal": (
        "/", "/people", "/dogs", "/projects", "/schedules", "/shifts", "/documents", "/jobs",
        "/runs", "/dual-run", "/backups", "/users", "/settings", "/audit",
    ),
    "caline": ("/", "/people", "/dogs", "/projects", "/schedules", "/shifts", "/documents"),
    "badr": ("/", "/schedules"),
}  # fmt: skip
ON_PHONES = {
    "amal": ["/", "/schedules", "/jobs", "/more"],
    "caline": ["/", "/schedules", "/notifications", "/more"],
    "badr": ["/", "/schedules", "/notifications", "/more"],
}


@pytest.fixture
def database_kind():
    return "sqlite"


@pytest.fixture(params=PLACES)
def person(request):
    return request.getfixturevalue(request.param)


def part(page, of):
    """The addresses in that part of the page."""
    (inside,) = re.findall(rf"<{of}[^>]*>(.*?)</(?:nav|ul)>", page, re.DOTALL)
    return re.findall(r'href="([^"?]*)"', inside)


def test_place_asks_for_the_permission_of_its_page(app):
    asked = {name: item.permission for name, item in _chrome.items.items()}
    views = {name: app.view_functions[name].permission for name in asked}
    assert asked == views


def test_person_is_led_to_what_they_may_open(client_of, person):
    client = client_of(person)
    places = part(client.get("/").text, 'nav aria-label="[^"]*"')
    assert sorted(places) == sorted(PLACES[person.username])
    answers = {place: client.get(place).status_code for place in places}
    assert set(answers.values()) == {200}, answers


def test_phone_has_the_first_of_them_and_the_way_to_all(client_of, person):
    client = client_of(person)
    assert part(client.get("/").text, 'nav class="bottom"') == ON_PHONES[person.username]
    more = part(client.get("/more").text, 'ul class="more-list"')
    assert set(PLACES[person.username]) <= set(more)
