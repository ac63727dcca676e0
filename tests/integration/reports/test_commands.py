"""The job and the command generate-report, as a person or a script meets them."""

import json

import pytest
from sqlalchemy import select

from k9ops.core.db import db
from k9ops.reports.models import Document
from tests.support import pdf


def run(runner, *arguments):
    result = runner.invoke(args=["generate-report", *arguments, "--json"])
    return result.exit_code, json.loads(result.stdout)


def test_generate_report_writes_the_document_when_it_is_made(cli, unit, tmp_path):
    file = tmp_path / "duty.pdf"
    given = ("--arg", "project=HRB", "--arg", "date=2026-11-17")
    done = cli("generate-report", "duty_schedule", *given, "-o", str(file), "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["state"] == "succeeded"
    assert document["result"]["pages"] == len(pdf.read(file))
    assert document["result"]["bytes"] == file.stat().st_size
    # It burns the processor, so it has a process of its own.
    assert document["attempts"][0]["executor"].startswith("child:")
    kept = db.session.scalars(select(Document)).one()
    assert (kept.id, kept.requested_by) == (document["result"]["document"], "command line")
    assert kept.sha256 == document["result"]["sha256"]


def test_job_makes_the_default_document_when_nothing_is_named(cli, unit, instance):
    done = cli(
        "jobs", "run", "reports.generate_pdf_report", "--arg", "report=monthly_attendance",
        "--arg", 'arguments={"project": "AIR"}', "--arg", "language=en", "--wait", "--json",
    )  # fmt: skip
    document = json.loads(done.stdout)
    assert (done.returncode, document["state"]) == (0, "succeeded"), done.stderr
    assert (instance.folder / "data" / document["result"]["path"]).is_file()


def test_job_fails_at_once_when_no_try_would_help(cli, unit):
    done = cli(
        "jobs", "run", "reports.generate_pdf_report", "--arg", "report=x", "--wait", "--json"
    )
    document = json.loads(done.stdout)
    assert (done.returncode, document["state"]) == (1, "failed")
    assert document["error"]["code"] == "unknown_report"
    assert len(document["attempts"]) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        (("duty_shedule",), "unknown_report", "report"),
        (("duty_schedule", "--arg", "date=soon"), "bad_input", "date"),
        (("duty_schedule", "--arg", "project=NOPE"), "bad_input", "project"),
        (("duty_schedule", "--arg", "colour=red"), "bad_argument", "colour"),
        (("duty_schedule", "--arg", "date"), "bad_input", "arg"),
        (("duty_schedule", "--lang", "fr"), "usage", "lang"),
        (("duty_schedule", "--format", "xlsx"), "usage", "kind"),
    ],
)
def test_wrong_request_is_told_before_any_work(runner, unit, tmp_path, arguments, code, field):
    exit_code, document = run(runner, *arguments, "-o", str(tmp_path / "out.pdf"))
    error = document["error"]
    assert (exit_code, error["code"], error["field"]) == (2, code, field)
    assert list(tmp_path.glob("*.pdf")) == []


@pytest.mark.parametrize("place", ["", "no/such/folder/out.pdf"])
def test_wrong_place_is_told_before_any_work(runner, unit, tmp_path, place):
    exit_code, document = run(runner, "duty_schedule", "-o", str(tmp_path / place))
    assert (exit_code, document["error"]["field"]) == (2, "output")


def test_unknown_key_names_the_nearest(runner, unit, tmp_path):
    result = runner.invoke(args=["generate-report", "atendance", "-o", str(tmp_path / "x.pdf")])
    assert result.exit_code == 2
    assert "monthly_attendance" in result.output


def test_document_of_the_command_is_the_one_that_is_listed(cli, unit, instance, tmp_path):
    file = tmp_path / "month.pdf"
    done = cli("generate-report", "monthly_attendance", "--lang", "en", "-o", str(file))
    assert done.returncode == 0, done.stderr
    assert f"Wrote {file}: 1 page, " in done.stdout
    kept = db.session.scalars(select(Document)).one()
    assert (instance.folder / "data" / kept.path).read_bytes() == file.read_bytes()
