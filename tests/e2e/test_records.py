"""People, dogs and projects in a browser: by each role, in both languages, at each width."""

import pytest
from playwright.sync_api import expect

from tests.support.people import AMAL, BADR, CALINE
from tests.support.walking import look_at, sign_in, violations, visit

PAGES = (
    "/people",
    "/people?q=nobody+at+all",
    "/people/2",
    "/dogs?fitness=fit",
    "/dogs/1",
    "/projects",
    "/projects/1",
    "/projects/1?who=dogs",
    "/shifts",
)
FORMS = (
    "/people/new",
    "/dogs/1/edit",
    "/projects/1/edit",
    "/projects/1/people/new",
    "/projects/1/assignments/1/end",
    "/projects/1/places/1/edit",
    "/shifts/3/edit",
)
PHONE = {"width": 390, "height": 844}


@pytest.mark.parametrize(
    ("person", "language", "theme", "width"),
    [
        (AMAL, "ar", "light", 1360),
        (AMAL, "en", "dark", 390),
        (CALINE, "ar", "dark", 390),
        (CALINE, "en", "light", 768),
    ],
)
def test_pages_of_records_can_be_read(browser, unit_server, person, language, theme, width):
    size = {"width": width, "height": 900}
    with visit(browser, unit_server, color_scheme=theme, viewport=size) as page:
        sign_in(page, person, language)
        for path in PAGES + (FORMS if person is AMAL else ()):
            look_at(page, path)


def test_administrator_is_told_when_somebody_else_was_faster(browser, unit_server, unit):
    with visit(browser, unit_server) as page:
        sign_in(page, AMAL)
        page.goto("/dogs/1/edit")
        other = page.context.new_page()
        other.goto("/dogs/1/edit")
        other.get_by_label("Fitness").select_option("unfit")
        other.get_by_role("button", name="Save").click()
        expect(other.locator("h1")).to_have_text("Rex")
        page.get_by_label("Notes").fill("Eats well")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("alert")).to_contain_text("Somebody changed this in the meantime")
        expect(page.get_by_role("alert")).to_contain_text("now: Unfit")
        assert violations(page) == []
        page.get_by_role("alert").get_by_role("link", name="Fitness").click()
        page.get_by_label("Fitness").select_option("unfit")
        page.get_by_role("button", name="Save").click()
        expect(page.locator(".facts, .note").filter(has_text="Eats well")).to_be_visible()


def test_administrator_mends_what_is_wrong_and_the_rest_stays(browser, unit_server, unit):
    with visit(browser, unit_server) as page:
        sign_in(page, AMAL)
        page.goto("/people/new")
        page.get_by_label("Name", exact=True).fill("هناء سعيد")
        page.get_by_label("Name in English").fill("Hana Said")
        page.get_by_label("Number").fill("P-001")
        page.get_by_label("Phone").fill("+966 11 000")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("alert")).to_contain_text("One field is wrong")
        expect(page.locator("#number-fault")).to_have_text("Another person has this number.")
        expect(page.get_by_label("Phone")).to_have_value("+966 11 000")
        page.get_by_role("alert").get_by_role("link", name="Number").click()
        page.get_by_label("Number").fill("P-900")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("h1")).to_have_text("Hana Said")
        expect(page.locator(".toast")).to_contain_text("was saved")


def test_administrator_assigns_a_dog_on_a_phone_without_scripts(browser, unit_server, unit):
    with visit(browser, unit_server, viewport=PHONE, java_script_enabled=False) as page:
        sign_in(page, AMAL, "ar")
        page.goto(f"/projects/{unit.harbour}?who=dogs")
        page.get_by_role("link", name="عيّن كلبًا").click()
        page.select_option("[name=dog_id]", str(unit.far))
        page.locator(".record-form button.primary").click()
        expect(page.locator("#assigned")).to_contain_text("برق")
        row = page.locator("#assigned li").filter(has_text="برق")
        row.locator("a.button").click()
        page.locator(".record-form button.primary").click()
        expect(page.locator("#assigned")).to_contain_text("برق")


def test_filters_of_a_list_stay_in_the_address(browser, unit_server, unit):
    with visit(browser, unit_server) as page:
        sign_in(page, AMAL)
        page.goto("/dogs")
        page.select_option("[name=fitness]", "unfit")
        expect(page.locator("tbody tr")).to_have_count(1)
        expect(page).to_have_url(f"{unit_server.url}/dogs?fitness=unfit")
        page.get_by_role("link", name="Clear").click()
        expect(page.locator("tbody tr")).to_have_count(4)


def test_manager_finds_only_their_own_project_and_its_people(browser, unit_server, unit):
    with visit(browser, unit_server) as page:
        sign_in(page, CALINE)
        page.get_by_role("link", name="Projects").first.click()
        expect(page.locator("tbody tr")).to_have_count(1)
        page.get_by_role("link", name="Harbour").click()
        expect(page.locator("#assigned li")).to_have_count(3)
        expect(page.get_by_role("link", name="Edit")).to_have_count(0)
        page.get_by_role("link", name="Badr Salem").click()
        expect(page.locator("h1")).to_have_text("Badr Salem")


def test_handler_finds_none_of_these_places(browser, unit_server, unit):
    with visit(browser, unit_server) as page:
        sign_in(page, BADR)
        for path in ("/people", "/dogs", "/projects"):
            expect(page.locator(f'.side a[href="{path}"]')).to_have_count(0)
