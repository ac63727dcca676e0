"""Every form that comes back with faults, in a browser: they can be read, and lead to fields."""

import pytest

from tests.support.examining import HEIGHT, WIDTHS
from tests.support.people import signed_in_client
from tests.support.walking import excess, step_in, violations, visit
from tests.support.whole import AMAL, MANAGER

#: Each way gets half of the forms.
WAYS = {0: ("ar", "dark", 320), 1: ("en", "light", 1360)}
#: The note of a day may be taken away, so that nothing of its form is wrong.
FORMS = "main form[method=post]:has(.field):not([action$='/note'])"
#: Leave nothing in the form that can be right, and send it.
SPOIL = """(form) => {
  form.noValidate = true;
  for (const one of form.querySelectorAll("input")) {
    if (one.matches("[type=hidden], [type=checkbox], [type=radio]")) continue;
    one.type = "text";
    one.value = one.required ? "" : "?";
  }
  for (const one of form.querySelectorAll("textarea")) one.value = "";
  for (const one of form.querySelectorAll("select")) {
    one.add(new Option("?"), 0);
    one.selectedIndex = 0;
  }
  form.requestSubmit(form.querySelector("button:not([type=button])"));
}"""
#: Faults that are told of no field, and fields whose fault nobody can get to.
LOST = """() => {
  const id = (one) => one.hash ? one.hash.slice(1) : one.getAttribute("aria-describedby");
  const told = document.querySelectorAll("main [aria-invalid], main [role=alert] a[href^='#']");
  return [...told].filter((one) => !document.getElementById(id(one))).map((one) => one.outerHTML);
}"""


@pytest.mark.parametrize("half", WAYS)
def test_form_with_faults_can_be_read_and_mended(browser, whole, half):
    pages = pages_with_forms(whole, AMAL)[half::2]
    assert len(pages) > 5
    assert faults_of_forms(browser, whole, AMAL, pages, *WAYS[half]) == []


def test_two_step_that_is_on_tells_what_is_wrong(browser, whole):
    pages = ["/account/two-step"]
    assert faults_of_forms(browser, whole, MANAGER, pages, "ar", "light", 1360) == []


def faults_of_forms(browser, whole, person, pages, language, theme, width):
    size = {"width": width, "height": HEIGHT}
    still = {"color_scheme": theme, "reduced_motion": "reduce"}
    with visit(browser, whole.server, viewport=size, **still) as page:
        step_in(page, whole.app, whole.server, person, language)
        return [f"{one}: {fault}" for one in pages for fault in spoil_all(page, one)]


def pages_with_forms(whole, person):
    """The browser, which is dear, opens no others."""
    client = signed_in_client(whole.app, person)
    return [one for one in whole.pages(person) if 'class="field' in client.get(one).text]


def spoil_all(page, address):
    """What is wrong with the page after each of its forms was sent back."""
    page.goto(address)
    forms = page.locator(FORMS).count()
    if not forms and not page.locator("form[action$='/note']").count():
        yield "there is no form"
    for number in range(forms):
        if number:
            page.goto(address)
        with page.expect_navigation() as answer:
            page.locator(FORMS).nth(number).evaluate(SPOIL)
        told = page.locator("main .fault, main [role=alert]").count()
        if answer.value.status not in (409, 422) or not told:
            yield f"form {number} answers {answer.value.status} with {told} faults"
        yield from (f"form {number} leads nowhere: {lost}" for lost in page.evaluate(LOST))
        yield from (f"form {number}: {fault}" for fault in looks(page))


def looks(page):
    yield from violations(page, "main")
    size = page.viewport_size
    page.set_viewport_size({**size, "width": min(WIDTHS)})
    if (wide := excess(page)) > 0:
        yield f"{wide} pixels wider than {min(WIDTHS)}"
    page.set_viewport_size(size)
