"""The decorator: what it takes, what it refuses, how arguments are read."""

from pathlib import Path

import pytest

from k9ops.core.errors import BadInput
from k9ops.jobs import job
from k9ops.jobs.errors import UnknownJob
from k9ops.jobs.registry import _catalogue, get_job, load_modules


@pytest.fixture(autouse=True)
def own_catalogue():
    before = dict(_catalogue)
    yield
    _catalogue.clear()
    _catalogue.update(before)


@pytest.fixture
def report():
    @job("unit.report", title="Report")
    def report(project: str, days: int = 7, tags: list[str] | None = None, dry: bool = False):
        """Count."""
        return [project, days, tags, dry]

    return report


def test_job_stays_callable(report):
    assert report("north") == ["north", 7, None, False]
    assert report.name == "unit.report"
    assert report.description == "Count."


def test_arguments_are_read_by_their_annotation(report):
    texts = {"project": "5", "days": "30", "tags": '["a"]', "dry": "true"}
    expected = {"project": "5", "days": 30, "dry": True}
    assert report.parse_arguments({k: v for k, v in texts.items() if k != "tags"}) == expected


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({}, "project"),
        ({"project": 5}, "project"),
        ({"project": "n", "days": "7"}, "days"),
        ({"project": "n", "day": 7}, "day"),
        ({"project": "n", "days": True}, "days"),
    ],
)
def test_arguments_are_refused_by_name_when_wrong(report, arguments: dict, field: str):
    with pytest.raises(BadInput) as caught:
        report.check_arguments(arguments)
    assert caught.value.field == field
    assert "project, days, tags, dry" in caught.value.hint


def test_arguments_are_refused_when_nested_too_deeply():
    @job("unit.deep", title="Deep")
    def deep(tags: list[str]) -> None: ...

    with pytest.raises(BadInput) as refusal:
        deep.parse_arguments({"tags": "[" * 100_000})
    assert refusal.value.field == "tags"


def test_get_job_names_the_nearest_when_unknown(report):
    with pytest.raises(UnknownJob) as caught:
        get_job("unit.reprot")
    assert caught.value.hint == "Did you mean unit.report?"


def test_job_refuses_an_async_function():
    with pytest.raises(ValueError, match="async"):

        @job("unit.later", title="Later")
        async def later() -> None: ...


@pytest.mark.parametrize("name", ["backup", "Unit.Backup", "unit.", "unit backup"])
def test_job_refuses_a_name_without_area(name: str):
    with pytest.raises(ValueError, match="job name"):
        job(name, title="X")(lambda: None)


@pytest.mark.parametrize(
    "options", [{"priority": 10}, {"isolation": "fork"}, {"misfire": "never"}, {"overlap": "x"}]
)
def test_job_refuses_unknown_options(options: dict):
    with pytest.raises(ValueError):  # noqa: PT011  (each option says its own)
        job("unit.options", title="X", **options)(lambda: None)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import nowhere_at_all", "nowhere_at_all"),
        ("def (:", "invalid syntax"),
        (
            "from k9ops.jobs import job\n@job('a.b', title='A')\nasync def b() -> None: ...",
            "async function",
        ),
    ],
)
def test_load_modules_names_setting_and_module_when_one_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, said: str
):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "faulty_jobs.py").write_text(source)
    with pytest.raises(BadInput, match=f"SETTING: faulty_jobs: .*{said}"):
        load_modules(["faulty_jobs"], setting="SETTING")
