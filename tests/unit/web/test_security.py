"""Where a sign-in may lead."""

import pytest

from k9ops.web.security import safe_path


@pytest.mark.parametrize("target", ["/", "/runs?state=failed", "/runs/1#log"])
def test_safe_path_keeps_a_path_of_this_site(target):
    assert safe_path(target) == target


@pytest.mark.parametrize(
    "target",
    [None, "", "runs", "//evil.example", "/\\evil.example", "https://evil.example", "/a\nb",
     "javascript:alert(1)", "/\tx", "/runs\\x"],
)  # fmt: skip
def test_safe_path_leads_home_when_it_is_not_one(target):
    assert safe_path(target) == "/"
