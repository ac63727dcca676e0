"""Every form that comes back with faults, in a browser: they can be read, and lead to fields."""

import pytest

from tests.support.examining import HEIGHT, Examiner
from tests.support.walking import step_in, visit
from tests.support.whole import AMAL, MANAGER

WAYS = [
    (AMAL, "ar", "dark", 320),
    (AMAL, "en", "light", 1360),
    (MANAGER, "ar", "light", 1360),
]
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
  form.requestSubmit(form.querySelector("button.primary"));
}"""
#: Faults that are told of no field, and fields whose fault nobody can get to.
LOST = """() => {
  const id = (one) => one.hash ? one.hash.slice(1) : one.getAttribute("aria-describedby");
  const told = document.querySelectorAll("main [aria-invalid], main [role=alert] a[href^='#']");
  return [...told].filter((one) => !document.getElementById(id(one))).map((one) => one.outerHTML);
}"""


@pytest.mark.parametrize(
    ("person", "language", "theme", "width"), WAYS, ids=lambda one: getattr(one, "role", one)
)
def test_form_with_faults_can_be_read_and_mended(browser, whole, person, language, theme, width):
    size = {"width": width, "height": HEIGHT}
    still = {"color_scheme": theme, "reduced_motion": "reduce"}
    with visit(browser, whole.server, viewport=size, **still) as page:
        step_in(page, whole.app, whole.server, person, language)
        look = Examiner(page, width)
        for address in whole.pages(person):
            page.goto(address)
            for number in range(page.locator(FORMS).count()):
                page.goto(address)
                spoil(look, f"{address} form {number}", number)
        assert not look.faults, "\n".join(look.faults)


def spoil(look, where, number):
    page = look.page
    with page.expect_navigation() as answer:
        page.locator(FORMS).nth(number).evaluate(SPOIL)
    faults = page.locator("main .fault, main [role=alert]")
    if answer.value.status not in (409, 422) or not faults.count():
        look.faults.append(f"{where}: answers {answer.value.status} with {faults.count()} faults")
    look.faults += [f"{where}: leads nowhere: {lost}" for lost in page.evaluate(LOST)]
    look.note(where)
