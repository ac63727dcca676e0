"""Every page in Firefox too, and the main form of each: in Arabic on a phone, in English wide."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.codes import code_of
from tests.support.firefox import Firefox
from tests.support.mail import MailServer, way_in
from tests.support.people import AMAL, Person
from tests.support.unit import today
from tests.support.waiting import wait_until
from tests.support.whole import running_unit

WAYS = [("ar", 390), ("en", 1360)]
YESTERDAY = today() - timedelta(days=1)
LONG_AGO = "2024-01-31"


@pytest.fixture(scope="module")
def post():
    """The unit's mail server."""
    server = MailServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def unit(databases, tmp_path_factory, post):
    """A whole unit of this file's own, since its tests change it."""
    url = databases.new("sqlite")
    with running_unit(url, tmp_path_factory.mktemp("firefox"), **post.settings()) as one:
        yield one
    databases.drop(url)


@pytest.fixture(scope="module")
def firefox():
    with Firefox() as one:
        yield one


@pytest.fixture(params=WAYS, ids=[language for language, _ in WAYS])
def page(request, firefox, unit):
    """Amal's page, which must not complain on its console, of the policy least of all."""
    firefox.language, firefox.width = request.param
    firefox.visit(unit.server.url, firefox.width)
    firefox.step_in(unit.app, AMAL, firefox.language)
    yield firefox
    assert firefox.complaints() == []


def test_every_page_opens(page, unit):
    faults = []
    for address in unit.pages(AMAL):
        try:
            page.open(address)
            assert page.complaints() == [], address
        except AssertionError as error:
            faults.append(str(error).splitlines()[0])
    assert faults == []
    assert len(unit.pages(AMAL)) > 50


def id_of(page) -> str:
    """That of the record whose page is open."""
    return page.evaluate("location.pathname.split('/')[2]")


def add_project(page, code):
    """A project with a handler and a dog, by the forms of records; its id."""
    page.open("/people/new")
    page.fill(number=code, name="سلمى", work="handler", phone="0551234567", hired_on=LONG_AGO)
    page.save()
    page.see("h1", "سلمى")
    page.open("/dogs/new")
    page.fill(code=code, name="رعد", born_on=LONG_AGO, weight_kg="31.5", fitness="fit")
    page.save()
    page.see("h1", "رعد")
    page.open("/projects/new")
    page.fill(code=code, name="المرفأ", status="active", starts_on=LONG_AGO, notes="سطر\nوآخر")
    page.save()
    page.see(".note", "وآخر")
    project = id_of(page)
    page.fill(name="البوابة")
    page.press("#places form .button")
    page.see("#places .rows", "البوابة")
    for kind, field in (("people", "person_id"), ("dogs", "dog_id")):
        page.open(f"/projects/{project}/{kind}/new")
        page.choose(field, code)
        page.fill(from_on=LONG_AGO)
        page.save()
        page.see("#assigned .rows", code)
    return project


def test_records_are_added_and_their_day_is_planned(page):
    code = f"F-{page.language.upper()}"
    project = add_project(page, code)
    page.open(f"/schedules?day={YESTERDAY}&project={project}")
    page.press('form[action="/schedules"][method=post] button')
    page.see("h1", str(YESTERDAY.day))
    page.press(".head a[href$='/items/new']")
    for name, word in (("handler_id", "سلمى"), ("dog_id", "رعد"), ("place_id", "البوابة")):
        page.choose(name, word)
    page.fill(note="جولتان")
    page.save()
    page.see(".duty", code)
    page.press(".duty a[href$='/attendance']")
    page.fill(attendance="present")
    page.save()
    page.see(".duty .pill.ok")
    page.press(".head a[href$='/lock']")
    page.fill(reason="عُدّ الحضور")
    page.save()
    page.see(".banner.off")
    page.press("a[href$='/unlock']")
    until = datetime.now(UTC) + timedelta(hours=5)  # two hours from now in Riyadh
    page.fill(reason="كلب آخر", until=f"{until:%Y-%m-%dT%H:%M}")
    page.save()
    page.see(".banner.part", "كلب آخر")


def test_jobs_are_run_and_scheduled(page):
    page.open("/jobs")
    page.press('form[action="/jobs/test.progress/run"] button')
    page.press(".toast a")
    page.see("#run .verdict", {"ar": "نجح", "en": "Succeeded"}[page.language])
    page.open("/jobs/test.typed/arguments")
    page.fill(**{"arg-day": "2026-11-30", "arg-count": "12"})
    page.save()
    page.see("#arg-count-fault", "9")
    page.fill(**{"arg-count": "4"})
    page.save()
    page.see("#run", "count=4")
    page.open("/jobs")
    page.press('a[href="/jobs/backups.run_automated_backup/pause/confirm"]')
    page.press("dialog[open] .button.primary")
    page.press('form[action="/jobs/backups.run_automated_backup/resume"] button')
    page.see('a[href="/jobs/backups.run_automated_backup/pause/confirm"]')
    page.open("/jobs/test.words/schedule")
    page.fill(cron="0 5 * * *")
    page.see("#preview", "05:00")
    page.save()
    page.see(".toast", "05:00")
    page.open("/runs")
    page.fill(job="test.typed")
    page.see(".filter.set [name=job]")
    page.press(".runs tbody .first")
    page.press(".actions form .button")
    page.see("#run", "count=4")


def test_unit_is_looked_after(page):
    page.open("/backups")
    page.press('form[action="/backups/make"] button')
    page.see("#run .pill.ok.large")
    page.open("/documents/new/duty_schedule")
    page.save()
    page.see("#run .pill.ok.large")
    page.open("/jobs")
    page.press('form[action="/jobs/test.permanent/run"] button')
    page.press(".toast a")
    page.see("#run .pill.bad.large")
    page.open("/notifications")
    page.press('form[action="/notifications/read-all"] button')
    page.see(".notices .unread", count=0)
    page.open("/settings")
    page.fill(unit_name=f"وحدة {page.language}")
    page.save()
    page.see(".toast")
    page.open("/audit")
    page.fill(action="setting.changed")
    page.see(".trail tbody tr", page.language)


def test_people_are_let_in_and_shown_the_door(page):
    name = f"hana.{page.language}"
    page.open("/users/new")
    page.fill(username=name, full_name="Hana Said", role="handler")
    page.save()
    page.see("#secrets")
    page.press(".once .button.primary")
    page.see("h1", "Hana Said")
    page.press(".actions a[href$='/deactivate']")
    page.press("dialog[open] form .button")
    page.see("h1 + .pill.off")
    page.press(".actions a[href^='/audit']")
    page.see(".hint-line", name)
    page.open("/account/tokens/new")
    page.fill(name=name, days="30")
    page.save()
    page.press(".once .button.primary")
    page.see("#tokens .rows", name)


def test_own_account_is_changed(page):
    page.open("/account")
    page.fill(full_name=f"Amal {page.language}")
    page.enter("select[name=theme]", "dark")
    page.save()
    page.see("html[data-theme=dark] .toast")


def test_theme_is_switched_at_the_door(page, unit):
    page.visit(unit.server.url, page.width)
    page.open("/sign-in")
    for pressed, theme in (("light", "dark"), ("dark", "light"), ("light", "dark")):
        page.press(f".theme-{pressed}")
        page.see(f"html[data-theme={theme}] h1")


def test_what_is_sought_is_found(page):
    page.open("/search")
    page.enter(".only-phone [name=q]" if page.width < 500 else "header [name=q]", "progress")
    page.strike("Enter")
    page.see("h1", "progress")
    page.see(".hits a[href^='/runs/']")


def test_forgotten_password_is_renewed_and_two_step_sign_in_set_up(page, unit, post):
    name = f"noor.{page.language}"
    page.open("/users/new")
    page.fill(username=name, full_name="Noor", email=f"{name}@unit.example", role="handler")
    page.save()
    page.see("#secrets")
    page.visit(unit.server.url, page.width)
    page.open(f"/sign-in/forgotten?lang={page.language}")
    page.fill(username=name)
    page.press("form button.primary")
    letter, *_ = wait_until(lambda: letters_to(name, post), 30)
    noor = Person(name, "Noor", "handler", "a kennel by the sea")
    page.open(way_in(letter))
    page.fill(new=noor.password, again=noor.password)
    page.press("form button.primary")
    page.see(".banner.ok")
    page.sign_in(noor, page.language)
    key = set_up_two_step(page, noor)
    page.press("summary.avatar")
    page.press("form[action='/sign-out'] button")
    page.see("[name=password]")
    page.tell_password(noor, page.language)
    page.fill(code=code_of(key))
    page.press("form button.primary")
    page.see("summary.avatar")


def letters_to(name, post):
    return [one for one in post.letters if name in one["To"]]


def set_up_two_step(page, person):
    """The key that the page showed."""
    page.open("/account/two-step")
    page.fill(password=person.password)
    page.press("button[value=begin]")
    page.see(".qr svg")
    key = page.evaluate("document.querySelector('.key').innerText")
    page.fill(code=code_of(key, -1))
    page.press("button[value=on]")
    page.see("#secrets")
    return key
