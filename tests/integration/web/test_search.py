"""The search of the whole unit: what is found, by whom, and how it is spelled."""

import re
from html import unescape
from urllib.parse import quote

import pytest
from sqlalchemy import update

from k9ops.core.db import db
from k9ops.jobs import dispatch
from k9ops.kennel.models import Dog
from k9ops.people.models import Person
from k9ops.web.searching import SHOWN
from tests.support.statements import counted

MOST_STATEMENTS = 20


@pytest.fixture
def search(client_of, unit):
    """`search(person, "words")`: the page in English."""

    def ask(person, words, language="en"):
        return client_of(person).get(f"/search?lang={language}&q={quote(words)}").text

    return ask


def found(page):
    """The names by kind, in the order of the page."""
    kinds = re.findall(r'<h2 id="found-\d">(.*?)</h2>(.*?)</section>', page, re.DOTALL)
    hits = r'<span class="grow"><a[^>]*><bdi>(.*?)</bdi>'
    return {kind: [unescape(name) for name in re.findall(hits, part)] for kind, part in kinds}


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("rex", {"Dogs": ["Rex"]}),
        ("K9-002", {"Dogs": ["Luna"]}),
        ("٠٠٤", {"Dogs": ["Barq"], "People": ["Essam Rashid"]}),
        ("khoury caline", {"People": ["Caline Khoury"]}),
        ("airport", {"Projects": ["Airport"]}),
        ("الميناء", {"Projects": ["Harbour"]}),
        ("b", {"Dogs": ["Barq"], "People": ["Badr Salem"], "Projects": ["Harbour"]}),
        ("nothing like this", {}),
        ("%", {}),
    ],
)
def test_administrator_finds_whatever_has_the_words(search, amal, words, names):
    assert found(search(amal, words)) == names


def test_manager_finds_only_what_their_lists_show(app, search, caline):
    with app.app_context():
        run = dispatch("backups.run_automated_backup").id
    assert found(search(caline, "b")) == {"People": ["Badr Salem"], "Projects": ["Harbour"]}
    for words in ("barq", "airport", "farid", run, run[-8:], "backup"):
        assert found(search(caline, words)) == {}


def test_handler_has_no_search(client_of, unit, badr):
    client = client_of(badr)
    assert client.get("/search?q=rex").status_code == 403
    assert 'role="search"' not in client.get("/").text


def test_run_is_found_by_the_end_of_its_id_and_its_job(app, search, amal):
    with app.app_context():
        run = dispatch("backups.run_automated_backup").id
    for words in (run, run[-8:], run[:13]):
        page = search(amal, words)
        assert found(page) == {"Runs": ["Automatic backup"]}
        assert f'href="/runs/{run}"' in page
    assert list(found(search(amal, "التلقائى الإحتياطي", "ar")).values()) == [
        ["النسخ الاحتياطي التلقائي"]
    ]


@pytest.mark.parametrize("words", ["اسامة", "أُسامه", "اســامة"])
def test_arabic_is_found_however_it_is_spelled(app, search, unit, amal, words):
    with app.app_context():
        named = update(Person).where(Person.id == unit.essam)
        db.session.execute(named.values(name="أُسامة رشيد", name_en=""))
        db.session.commit()
    assert found(search(amal, words)) == {"People": ["أُسامة رشيد"]}


def test_marks_alone_find_nothing(search, unit, amal):
    assert found(search(amal, "\u0640 \u064f")) == {}


def test_some_are_shown_and_the_list_has_all(app, search, client_of, amal):
    more = SHOWN + 2
    with app.app_context():
        kept = {"sex": "male", "specialty": "patrol"}
        db.session.add_all(
            Dog(code=f"T-{n}", name=f"توأم {n}", name_en=f"Twin {n}", **kept) for n in range(more)
        )
        db.session.commit()
    page = search(amal, "twin")
    assert len(found(page)["Dogs"]) == SHOWN
    assert f"All {more} in “Dogs”" in page
    (address,) = re.findall(r'href="(/dogs\?q=[^"]*)"', page)
    assert f"of {more}</span>" in client_of(amal).get(f"{address}&lang=en").text


def test_search_needs_few_statements(app, client_of, unit, amal):
    client = client_of(amal)
    client.get("/search?q=b")
    with counted(app) as statements:
        assert "Badr" in client.get("/search?q=b&lang=en").text
    assert len(statements) <= MOST_STATEMENTS, "\n".join(statements)


def test_page_says_what_can_be_looked_for_and_that_nothing_was_found(search, amal):
    assert "What are you looking for?" in search(amal, " ")
    page = search(amal, "<b>nobody</b>")
    assert "Nothing that you may see has these words" in page
    assert "&lt;b&gt;nobody&lt;/b&gt;" in page
    assert "<b>nobody" not in page
