"""Icons: drawn from the vendored files, and every one that a page uses is listed."""

import re

import pytest

from config import ROOT
from k9ops.web.icons import icon

LISTED = set((ROOT / "k9ops/web/icons.txt").read_text().split()) | {"half"}
USED = re.compile(r"""icon\(\s*["']([a-z0-9-]+)["']""")


def used_icons() -> set[str]:
    templates = (ROOT / "k9ops").rglob("templates/**/*.html")
    return {name for path in templates for name in USED.findall(path.read_text())}


def test_icons_of_the_templates_are_listed():
    assert used_icons() <= LISTED


@pytest.mark.parametrize("name", sorted(LISTED))
def test_icon_is_hidden_from_readers_and_has_no_inline_style(name):
    drawn = icon(name)
    assert 'aria-hidden="true"' in drawn
    assert "style=" not in drawn


def test_icon_names_the_remedy_when_it_is_not_listed():
    with pytest.raises(LookupError, match=r"icons\.txt"):
        icon("no-such-icon")
