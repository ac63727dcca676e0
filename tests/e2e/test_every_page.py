"""Every page that a role can open, in a browser: it fits, and everyone can read and use it."""

from types import SimpleNamespace

import pytest

from tests.support.crawling import Crawler
from tests.support.people import AMAL, BADR, CALINE, signed_in_client
from tests.support.walking import look_at, sign_in, visit
from tests.support.whole import SETTINGS, add_whole_unit

#: What is no page of its own: files, and pieces that a page fetches.
NO_PAGES = ("/static/", "/api/", "/healthz", "/readyz", "/live", "/news", "/export/", "/download")
WAYS = [
    (AMAL, "ar", "light", 1360),
    (AMAL, "en", "dark", 1360),
    (AMAL, "ar", "dark", 320),
    (CALINE, "en", "light", 320),
    (BADR, "ar", "dark", 320),
]


@pytest.fixture
def database_kind():
    return "sqlite"


@pytest.fixture
def whole(make_app, make_instance, database_url):
    """A running server of the whole unit, and one address of each page of a role."""
    instance = make_instance(database_url=database_url, **SETTINGS)
    app = make_app(instance_path=instance.folder, **SETTINGS)
    starts = add_whole_unit(app)

    def addresses(person):
        walk = Crawler(app, signed_in_client(app, person), person.role, "en")
        found = walk.walk(*(starts if person is AMAL else ())).addresses
        pages = {rule: found[rule] for rule in found if rule in walk.found.opened}
        return [
            address
            for address in pages.values()
            if not any(part in address for part in NO_PAGES) and "." not in address[-8:]
        ]

    return SimpleNamespace(server=instance.start(), addresses=addresses)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("person", "language", "theme", "width"), WAYS)
def test_every_page_can_be_read_by_everyone(browser, whole, person, language, theme, width):
    size, faults = {"width": width, "height": 900}, []
    pages = whole.addresses(person)
    with visit(browser, whole.server, color_scheme=theme, viewport=size) as page:
        sign_in(page, person, language)
        for address in pages:
            try:
                look_at(page, address)
            except AssertionError as error:
                faults.append(str(error).splitlines()[0][:300])
        assert not faults, "\n".join(faults)
