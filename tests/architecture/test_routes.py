"""Every route names its permission or is public, and the public ones are these."""

import pytest

from k9ops.app import create_app
from tests.support.databases import dispose, make_settings

PUBLIC = {
    "/sign-in/forgotten",
    "/sign-in/new-password",
    "/sign-in/new-password/<string(maxlength=100):token>",
    "/backups/restore",
    "/sign-in",
    "/sign-in/code",
    "/preferences/theme",
    "/healthz",
    "/readyz",
}


@pytest.fixture
def rules(tmp_path):
    app = create_app(make_settings(tmp_path))
    yield [(rule, app.view_functions[rule.endpoint]) for rule in app.url_map.iter_rules()]
    dispose(app)


def test_route_names_its_permission_or_is_public(rules):
    bare = [
        rule.rule
        for rule, view in rules
        if rule.endpoint != "static"
        and not getattr(view, "permission", None)
        and not getattr(view, "is_public", False)
    ]
    assert bare == []


def test_public_routes_are_few_and_known(rules):
    public = {rule.rule for rule, view in rules if getattr(view, "is_public", False)}
    assert public <= PUBLIC


def test_route_that_changes_something_is_never_a_get(rules):
    words = ("run", "pause", "resume", "cancel", "retry", "delete", "sign-out")
    wrong = [
        rule.rule
        for rule, _ in rules
        if rule.rule.rsplit("/", 1)[-1] in words and "GET" in rule.methods
    ]
    assert wrong == []
