"""Every job is told and bounded, and every name that is called for exists."""

import ast

import pytest

from config import ROOT
from k9ops.app import create_app
from k9ops.jobs import registry
from tests.support.databases import dispose, make_settings

CALLS = {"enqueue", "dispatch"}


@pytest.fixture
def catalogue(tmp_path):
    app = create_app(make_settings(tmp_path))
    with app.app_context():
        # Other tests of this process may have registered jobs of their own.
        yield {
            name: job
            for name, job in registry.catalogue().items()
            if not job.__module__.startswith("tests.")
        }
    dispose(app)


def called_names():
    """Names that code gives to `enqueue` and `dispatch` as plain texts."""
    for path in (ROOT / "k9ops").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            function = node.func
            name = (
                function.attr
                if isinstance(function, ast.Attribute)
                else getattr(function, "id", "")
            )
            first = node.args[0]
            if name in CALLS and isinstance(first, ast.Constant):
                yield first.value


def test_every_called_job_exists(catalogue):
    assert set(called_names()) <= set(catalogue)


def test_every_job_is_told_and_bounded(catalogue):
    assert catalogue, "no job at all is registered"
    for name, job in catalogue.items():
        assert job.title, name
        assert job.description, name
        assert job.timeout_seconds > 0, name
