"""Templates are compiled once for all processes of an instance folder."""

import pytest

from k9ops.app import create_app
from tests.support.databases import make_settings, on_one_kind


@pytest.fixture
def make_plain_app(tmp_path, database_url):
    """Applications with what they have in production: no templates compiled for all tests."""
    return lambda: create_app(make_settings(tmp_path, database_url=database_url))


@on_one_kind
def test_templates_are_kept_compiled_for_the_next_process(make_plain_app, tmp_path):
    assert make_plain_app().test_client().get("/sign-in").status_code == 200
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache/templates").iterdir()}
    assert len(kept) >= 3
    assert make_plain_app().test_client().get("/sign-in").status_code == 200
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert (tmp_path / "cache/templates").stat().st_mode & 0o077 == 0


@on_one_kind
def test_pages_are_served_when_nothing_can_be_kept(make_plain_app, tmp_path):
    (tmp_path / "cache").write_text("in the way")
    assert make_plain_app().test_client().get("/sign-in").status_code == 200
    (tmp_path / "cache").unlink()
    app = make_plain_app()
    (tmp_path / "cache/templates").rmdir()
    assert app.test_client().get("/sign-in").status_code == 200


@on_one_kind
def test_damaged_copy_is_compiled_anew(make_plain_app, tmp_path):
    make_plain_app().test_client().get("/sign-in")
    for path in (tmp_path / "cache/templates").iterdir():
        path.write_bytes(path.read_bytes()[:50])
    assert make_plain_app().test_client().get("/sign-in").status_code == 200
