"""Every page that a role can open, in a browser: it fits, and everyone can read and use it."""

import pytest

from tests.support.examining import HEIGHT, Examiner
from tests.support.walking import step_in, visit
from tests.support.whole import AMAL, HANDLER, MANAGER

ALL, ODD, EVEN = slice(None), slice(0, None, 2), slice(1, None, 2)
#: The administrator reads each page in both languages, both themes, and on both sizes of screen, in
#: halves, so that no test takes long. The others see less of the same pages, in the ways between.
WAYS = [
    *((AMAL, half, "ar", "light", 1360) for half in (ODD, EVEN)),
    *((AMAL, half, "en", "dark", 320) for half in (ODD, EVEN)),
    (MANAGER, ALL, "en", "light", 1360),
    (HANDLER, ALL, "ar", "dark", 320),
]


@pytest.mark.parametrize(
    ("person", "part", "language", "theme", "width"),
    WAYS,
    ids=lambda one: getattr(one, "role", one),
)
def test_every_page_can_be_read_and_used_by_everyone(
    browser, whole, person, part, language, theme, width
):
    size = {"width": width, "height": HEIGHT}
    still = {"color_scheme": theme, "reduced_motion": "reduce"}
    with visit(browser, whole.server, viewport=size, **still) as page:
        step_in(page, whole.app, whole.server, person, language)
        look = Examiner(page, width)
        for address in whole.pages(person)[part]:
            look.examine(address)
        assert not look.faults, "\n".join(look.faults)
