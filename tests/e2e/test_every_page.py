"""Every page that a role can open, in a browser: it fits, and everyone can read and use it."""

import pytest

from tests.support.examining import HEIGHT, Examiner
from tests.support.walking import step_in, visit
from tests.support.whole import AMAL, HANDLER, MANAGER

#: Each role reads each page in both languages, both themes, and on both sizes of screen.
WAYS = [
    (AMAL, "ar", "light", 1360),
    (AMAL, "en", "dark", 320),
    (MANAGER, "ar", "dark", 320),
    (MANAGER, "en", "light", 1360),
    (HANDLER, "ar", "light", 320),
    (HANDLER, "en", "dark", 1360),
]


@pytest.mark.parametrize(
    ("person", "language", "theme", "width"), WAYS, ids=lambda one: getattr(one, "role", one)
)
def test_every_page_can_be_read_and_used_by_everyone(
    browser, whole, person, language, theme, width
):
    size = {"width": width, "height": HEIGHT}
    still = {"color_scheme": theme, "reduced_motion": "reduce"}
    with visit(browser, whole.server, viewport=size, **still) as page:
        step_in(page, whole.app, whole.server, person, language)
        look = Examiner(page, width)
        for address in whole.pages(person):
            look.examine(address)
        assert not look.faults, "\n".join(look.faults)
