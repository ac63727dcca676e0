"""A crawler of the whole unit, as each role: every link leads somewhere, every page is sound."""

from types import SimpleNamespace

import pytest

from k9ops.accounts.permissions import permissions_of
from k9ops.app import create_app
from k9ops.web.security import SIGNED_IN
from tests.support.crawling import Crawler
from tests.support.databases import KINDS, dispose, make_settings
from tests.support.people import signed_in_client
from tests.support.planting import plant
from tests.support.whole import AMAL, EVERYBODY, SETTINGS, add_whole_unit

#: Routes that no link of a page leads to, and why.
NO_LINK = {
    "/healthz": "for whoever watches over the process",
    "/readyz": "for whoever watches over the process",
    "/api/v1/runs/<run_id>": "for programs",
    "/sign-in": "one is signed in",
    "/schedules/<int(max=2147483647):day_id>/note": "for who reloads a form that was refused",
    "/dual-run/live": "asked by the page while its figures are counted",
    "/runs/news": "asked by the list of runs while it stays open",
}
#: Routes that no form of a page leads to, and why.
NO_FORM = {
    "/api/v1/jobs/<name>/run": "for programs",
    "/sign-in": "one is signed in",
}


@pytest.fixture(scope="module", params=zip(KINDS, ["ar", "en"], strict=True), ids=KINDS)
def whole(request, databases, tmp_path_factory):
    """The application with the whole unit, in which names are planted; each kind has a language."""
    kind, language = request.param
    url = databases.new(kind)
    settings = {"database_url": url, **SETTINGS}
    app = create_app(make_settings(tmp_path_factory.mktemp("whole"), **settings))
    starts = add_whole_unit(app)
    plant(app)
    for person in EVERYBODY:
        signed_in_client(app, person)  # another browser of theirs
    yield SimpleNamespace(app=app, starts=starts, language=language, walks={})
    dispose(app)
    databases.drop(url)


def crawl(whole, person):
    """The walk of that person, taken once."""
    if person not in whole.walks:
        client = signed_in_client(whole.app, person)
        crawler = Crawler(whole.app, client, person.role, whole.language)
        whole.walks[person] = crawler.walk(*(whole.starts if person is AMAL else ()))
    return whole.walks[person]


@pytest.mark.parametrize("person", EVERYBODY, ids=lambda person: person.role)
def test_every_link_leads_to_a_sound_page(whole, person):
    found = crawl(whole, person)
    print(sum(found.opened.values()), "pages of", len(found.opened), "routes")
    assert not found.faults, "\n".join(found.faults)


def test_visitor_finds_nothing_but_the_door(whole):
    found = Crawler(whole.app, whole.app.test_client(), "", "ar").walk(*whole.starts)
    assert not found.faults, "\n".join(found.faults)
    assert "/sign-in" in found.opened


@pytest.mark.parametrize("person", EVERYBODY, ids=lambda person: person.role)
def test_there_is_a_way_to_every_page_and_action(whole, person):
    found = crawl(whole, person)
    held = permissions_of(person.role) | {SIGNED_IN}
    app, missing = whole.app, []
    for rule in app.url_map.iter_rules():
        if getattr(app.view_functions[rule.endpoint], "permission", "") not in held:
            continue
        if "GET" in rule.methods and rule.rule not in {**found.opened, **NO_LINK}:
            missing.append(f"GET {rule.rule}")
        if "POST" in rule.methods and rule.rule not in found.acted | {*NO_FORM}:
            missing.append(f"POST {rule.rule}")
    assert not missing, "\n".join(missing)
