"""Duty in a browser: by each role, in both languages, on wide screens and phones."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.support.people import AMAL, BADR, CALINE
from tests.support.processes import Server
from tests.support.unit import NewItem, plan, today
from tests.support.walking import look_at, sign_in, visit

DAY = timedelta(days=1)
WIDE, PHONE = {"width": 1360, "height": 900}, {"width": 390, "height": 844}
BOTH = pytest.mark.parametrize(("language", "size"), [("ar", PHONE), ("en", WIDE)])
LOCKED = "This day is locked: nothing of it can be changed."


@pytest.fixture
def days(app, unit) -> dict[str, int]:
    """Yesterday with a duty that nobody marked, and tomorrow's of two handlers."""
    with app.app_context():
        return {
            "yesterday": plan(unit, today() - DAY, NewItem(unit.badr, unit.morning, unit.rex)),
            "tomorrow": plan(
                unit,
                today() + DAY,
                NewItem(unit.badr, unit.morning, unit.rex, unit.gate, "بوابة الشحن أولًا"),
                NewItem(unit.dalia, unit.night, unit.luna),
            ),
            "airport": plan(unit, today(), NewItem(unit.farid, unit.night), project=unit.airport),
        }


@pytest.fixture
def server(make_instance, database_url, days) -> Server:
    return make_instance(database_url=database_url).start()


def save(page: Page) -> None:
    page.locator("form .button.primary").click()


def fill_duty(page: Page, handler: int, shift: int, dog: int | str = "", note: str = "") -> None:
    page.select_option("[name=handler_id]", str(handler))
    page.select_option("[name=shift_id]", str(shift))
    page.select_option("[name=dog_id]", str(dog))
    page.fill("[name=note]", note)
    save(page)


def lane(page: Page, shift: int):
    return page.locator(f"section[aria-labelledby^=shift-{shift}-]")


def lock(page: Page, day: int) -> None:
    page.goto(f"/schedules/{day}/lock")
    page.fill("[name=reason]", "عُدّ الحضور")
    save(page)
    expect(page.locator(".banner.off")).to_be_visible()


@pytest.mark.parametrize(
    ("person", "language", "theme", "width"),
    [
        (AMAL, "ar", "light", 1360),
        (AMAL, "en", "dark", 390),
        (CALINE, "ar", "dark", 390),
        (CALINE, "en", "light", 768),
        (BADR, "ar", "light", 390),
        (BADR, "en", "dark", 1360),
    ],
)
def test_pages_of_duty_can_be_read(browser, server, days, person, language, theme, width):
    size = {"width": width, "height": 900}
    tomorrow, yesterday = days["tomorrow"], days["yesterday"]
    paths = ["/schedules", f"/schedules/{yesterday}", f"/schedules/{tomorrow}"]
    if person is not BADR:
        forms = ("items/new", "lock", "copy")
        paths += ["/schedules?span=week", *(f"/schedules/{tomorrow}/{form}" for form in forms)]
        paths += [f"/schedules/items/1/{form}" for form in ("edit", "attendance")]
    with visit(browser, server, color_scheme=theme, viewport=size) as page:
        sign_in(page, person, language)
        for path in paths:
            look_at(page, path)
        if person is AMAL:
            lock(page, yesterday)
            look_at(page, f"/schedules/{yesterday}")
            look_at(page, f"/schedules/{yesterday}/unlock")


@BOTH
def test_manager_plans_a_day_and_notes_who_came(browser, server, unit, language, size):
    with visit(browser, server, viewport=size) as page:
        sign_in(page, CALINE, language)
        page.goto(f"/schedules?day={today() - 2 * DAY}")
        page.locator('form[action="/schedules"][method=post] button').click()
        expect(page.locator(".lane-card")).to_have_count(3)
        lane(page, unit.night).locator("a.add").click()
        expect(page.locator("[name=shift_id]")).to_have_value(str(unit.night))
        fill_duty(page, unit.essam, unit.night, unit.luna, "جولتان")
        duty = lane(page, unit.night).locator(".duty")
        expect(duty).to_contain_text("K9-002")
        expect(duty).to_contain_text("جولتان")
        duty.locator('a[href$="/attendance"]').click()
        page.select_option("[name=attendance]", "replaced")
        page.select_option("[name=replacement_id]", str(unit.dalia))
        save(page)
        expect(duty.locator(".pill.run")).to_be_visible()
        stood_in = "داليا نصر" if language == "ar" else "Dalia Nasr"
        expect(duty).to_contain_text(stood_in)
        duty.locator('a[href$="/remove/confirm"]').click()
        page.locator("dialog button.danger").click()
        expect(duty).to_have_count(0)


@BOTH
def test_double_booking_is_told_at_its_field(browser, server, unit, days, language, size):
    with visit(browser, server, viewport=size) as page:
        sign_in(page, CALINE, language)
        page.goto(f"/schedules/{days['tomorrow']}/items/new")
        fill_duty(page, unit.essam, unit.morning, unit.rex, "تُحفظ")
        expect(page.locator("#dog_id-fault")).to_be_visible()
        expect(page.locator("[name=dog_id]")).to_have_attribute("aria-invalid", "true")
        expect(page.locator("[name=handler_id]")).to_have_value(str(unit.essam))
        expect(page.locator("[name=note]")).to_have_value("تُحفظ")
        fill_duty(page, unit.dalia, unit.night)
        expect(page.locator("#handler_id-fault")).to_be_visible()
        fill_duty(page, unit.essam, unit.evening)
        expect(lane(page, unit.evening).locator(".duty")).to_have_count(1)


def test_one_press_notes_that_a_handler_came(browser, server, days):
    with visit(browser, server, viewport=PHONE) as page:
        sign_in(page, CALINE)
        page.goto(f"/schedules/{days['yesterday']}")
        expect(page.locator(".banner.part")).to_contain_text("For one duty nobody noted who came")
        page.get_by_role("button", name=re.compile("Badr Salem.* is present")).click()
        expect(page.locator(".duty .pill.ok")).to_have_text("Present")
        expect(page.locator(".banner.part")).to_have_count(0)


@BOTH
def test_locked_day_refuses_a_form_that_was_open_before(
    browser, server, unit, days, language, size
):
    day = days["tomorrow"]
    with visit(browser, server, viewport=size) as page:
        sign_in(page, CALINE, language)
        page.goto(f"/schedules/{day}/items/new")
        other = page.context.new_page()
        lock(other, day)
        fill_duty(page, unit.essam, unit.evening)
        expect(page.get_by_role("alert")).to_be_visible()
        if language == "en":
            expect(page.get_by_role("alert")).to_contain_text(LOCKED)
        expect(page.locator(".banner.off")).to_be_visible()
        expect(page.locator(".duty")).to_have_count(2)
        expect(page.locator(".doings, a.add, .button.primary")).to_have_count(0)
        expect(page.locator('a[href$="/unlock"]')).to_have_count(0)


@BOTH
def test_administrator_opens_a_locked_day_for_a_time(browser, server, unit, days, language, size):
    day = days["tomorrow"]
    with visit(browser, server, viewport=size) as page:
        sign_in(page, AMAL, language)
        lock(page, day)
        page.locator(f'a[href="/schedules/{day}/unlock"]').click()
        page.fill("[name=reason]", "كلب آخر")
        page.fill("[name=until]", "2020-01-01T00:00")
        save(page)
        expect(page.locator("#until-fault")).to_be_visible()
        expect(page.locator("[name=reason]")).to_have_value("كلب آخر")
        until = datetime.now(UTC) + timedelta(hours=5)  # two hours from now in Riyadh
        page.fill("[name=until]", until.strftime("%Y-%m-%dT%H:%M"))
        save(page)
        expect(page.locator(".banner.part")).to_contain_text("كلب آخر")
        expect(page.locator(".banner.part")).to_contain_text(until.strftime("%H:%M"))
        page.goto(f"/schedules/{day}/items/new")
        fill_duty(page, unit.essam, unit.evening)
        expect(page.locator(".duty")).to_have_count(3)


@BOTH
def test_copy_tells_what_did_not_fit(browser, server, unit, days, language, size):
    with visit(browser, server, viewport=size) as page:
        sign_in(page, CALINE, language)
        page.goto(f"/schedules/{days['tomorrow']}")
        page.locator('a[href$="/copy"]').click()
        page.fill("[name=to]", (today() - DAY).isoformat())
        save(page)
        expect(page.locator(".rows li")).to_have_count(1)
        expect(page.locator(".rows li")).to_contain_text(
            "بدر سالم" if language == "ar" else "Badr Salem"
        )
        page.locator(".card .button.primary").click()
        expect(page.locator(".duty")).to_have_count(2)


def test_each_sees_only_theirs(browser, server, days):
    tomorrow, airport = f"/schedules/{days['tomorrow']}", f"/schedules/{days['airport']}"
    with visit(browser, server, viewport=PHONE) as page:
        sign_in(page, BADR)
        page.locator('.bottom a[href="/schedules"]').click()
        expect(page.locator("h1")).to_have_text("My duty")
        expect(page.locator(".own-next")).to_contain_text("06:00–14:00")
        expect(page.locator(".own-next")).to_contain_text("Rex K9-001")
        page.goto(tomorrow)
        expect(page.locator(".duty")).to_have_count(1)
        expect(page.locator(".doings, a.add")).to_have_count(0)
        assert page.request.get(f"{tomorrow}/items/new").status == 403
        assert page.request.get(airport).status == 404
    with visit(browser, server) as page:
        sign_in(page, CALINE)
        page.goto("/schedules")
        expect(page.locator("tbody tr")).to_have_count(1)
        assert page.request.get(airport).status == 404
    with visit(browser, server) as page:
        sign_in(page, AMAL)
        page.goto("/schedules")
        expect(page.locator("tbody tr")).to_have_count(2)
        assert page.request.get(airport).status == 200


def test_duty_is_planned_without_scripts(browser, server, unit, days):
    with visit(browser, server, java_script_enabled=False) as page:
        sign_in(page, CALINE)
        page.goto("/schedules")
        page.locator("[name=state]").select_option("locked")
        page.get_by_role("button", name="Apply").click()
        expect(page.locator(".empty")).to_contain_text("No day of duty matches these filters")
        page.goto(f"/schedules/{days['tomorrow']}")
        page.get_by_role("link", name=re.compile("Take .*Badr Salem.* out")).click()
        page.get_by_role("button", name="Take out").click()
        expect(page.locator(".duty")).to_have_count(1)
