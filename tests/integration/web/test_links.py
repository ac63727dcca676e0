"""Addresses that carry what stood in the page's own."""

import pytest

from k9ops.web.links import address, address_of


@pytest.fixture
def database_kind():
    return "sqlite"


def test_address_changes_one_parameter_and_forgets_the_place(app):
    with app.test_request_context("/runs?state=failed&q=a b&before=x"):
        assert address(lang="ar") == "/runs?state=failed&q=a+b&lang=ar"
        assert address(state=None, after="y") == "/runs?q=a+b&after=y"


@pytest.mark.parametrize(
    "query", ["_scheme=javascript&_external=1", "endpoint=static", "_anchor=x", "values=1"]
)
def test_address_takes_parameters_as_text_when_they_look_like_ours(app, query):
    with app.test_request_context(f"/runs?{query}"):
        assert address() == f"/runs?{query}"
        assert address_of("/jobs", _external=None).startswith("/jobs")


def test_address_changes_the_parameter_that_is_called_path(app):
    with app.test_request_context("/runs?path=celery&state=failed"):
        assert address(path=None) == "/runs?state=failed"
        assert address_of("/jobs", path="here") == "/jobs?state=failed&path=here"


@pytest.mark.parametrize("path", ["//evil.example/x", "/\\evil.example"])
def test_address_stays_on_this_site_when_the_path_is_odd(app, path):
    with app.test_request_context("/"):
        from flask import request

        request.path = path
        assert address(lang="ar")[:2] not in ("//", "/\\")
