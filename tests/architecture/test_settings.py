"""Every setting is documented where people look for it."""

import re

import pytest

from config import ROOT
from tests.support.processes import setting_names


def names_in(path, pattern):
    return set(re.findall(pattern, (ROOT / path).read_text(), re.MULTILINE))


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("docs/settings.md", r"^\| `([A-Z0-9_]+)`"),
        (".env.example", r"^#?([A-Z0-9_]+)="),
    ],
)
def test_file_lists_exactly_the_settings(path, pattern):
    assert names_in(path, pattern) == set(setting_names())
