"""The keeping of documents: one for each run, whole or not there, whatever happens meanwhile."""

import hashlib

import pytest
from sqlalchemy import select

from k9ops.core.db import db, new_id
from k9ops.core.errors import BadInput, NotFound, Unavailable
from k9ops.reports.models import Document
from k9ops.reports.queries import data_dir, file_of
from k9ops.reports.services import checked, make_document

WHAT = ("duty_schedule", {"project": "HRB", "date": "2026-11-17"}, "ar")


def documents():
    return list(db.session.scalars(select(Document)))


def files():
    return sorted(path.name for path in (data_dir() / "reports").iterdir())


@pytest.fixture
def run_id():
    return new_id()


def test_document_is_kept_with_its_hash(unit, run_id):
    made = make_document(run_id, *WHAT, by="caline")
    content = (data_dir() / "reports" / f"{run_id}.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert (made.bytes, made.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert (made.pages, made.project_id, made.requested_by) == (1, unit.harbour, "caline")
    assert made.arguments == {"project": "HRB", "date": "2026-11-17"}
    assert files() == [f"{run_id}.pdf"]


def test_repeated_attempt_finds_the_document_that_is_there(unit, run_id):
    first = make_document(run_id, *WHAT)
    written = file_of(first).stat().st_mtime_ns
    second = make_document(run_id, *WHAT)
    assert second.id == first.id
    assert file_of(second).stat().st_mtime_ns == written
    assert len(documents()) == 1


@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_repeated_attempt_makes_the_document_again_when_its_file_is(unit, run_id, damage):
    path = file_of(make_document(run_id, *WHAT))
    path.unlink() if damage == "missing" else path.write_bytes(path.read_bytes()[:100])
    again = make_document(run_id, *WHAT)
    assert file_of(again).read_bytes().startswith(b"%PDF")
    assert [one.id for one in documents()] == [again.id]


def test_attempt_that_comes_too_late_writes_over_nothing(unit, run_id):
    other = []
    # While the first attempt works, another makes the document.
    late = make_document(
        run_id, *WHAT, by="amal", check=lambda: other.append(make_document(run_id, *WHAT).sha256)
    )
    assert late.sha256 == other[0]
    assert file_of(late)
    assert files() == [f"{run_id}.pdf"]


def test_no_transaction_is_open_while_the_page_is_set(unit, run_id):
    seen = []
    make_document(run_id, *WHAT, check=lambda: seen.append(db.session().in_transaction()))
    assert seen == [False]


def test_nothing_is_left_when_the_attempt_is_stopped(unit, run_id):
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_document(run_id, *WHAT, check=stop)
    assert documents() == []


def test_folder_that_cannot_be_used_is_named(unit, run_id):
    data_dir().write_text("a file in the way")
    with pytest.raises(Unavailable) as refused:
        make_document(run_id, *WHAT)
    assert refused.value.code == "no_data_dir"
    assert "DATA_DIR" in refused.value.hint
    assert documents() == []


def test_arguments_are_written_in_full_when_none_is_given(unit):
    given = checked("duty_schedule", {}, "en")
    assert given["arguments"]["project"] == "HRB"
    assert len(given["arguments"]["date"]) == len("2026-11-17")
    assert (
        checked("monthly_attendance", {"project": str(unit.airport)}, "en")["arguments"]["project"]
        == "AIR"
    )


@pytest.mark.parametrize(
    ("report", "arguments", "field"),
    [
        ("duty_schedule", {"project": "NOPE"}, "project"),
        ("duty_schedule", {"project": "99999999999999999999"}, "project"),
        ("duty_schedule", {"project": "\0"}, "project"),
        ("duty_schedule", {"project": ["HRB"]}, "project"),
        ("duty_schedule", {"date": "2026-02-30"}, "date"),
        ("duty_schedule", {"date": "yesterday"}, "date"),
        ("duty_schedule", {"month": "2026-02"}, "month"),
        ("monthly_attendance", {"month": "2026-13"}, "month"),
        ("monthly_attendance", {"month": "2026-11-17"}, "month"),
        ("monthly_attendance", {"day": "1"}, "day"),
    ],
)
def test_argument_that_is_wrong_is_named(unit, report, arguments, field):
    with pytest.raises(BadInput) as refused:
        checked(report, arguments, "ar")
    assert refused.value.field == field


def test_report_and_language_that_are_unknown_are_named(unit):
    with pytest.raises(NotFound) as refused:
        checked("duty_shedule", {}, "ar")
    assert refused.value.code == "unknown_report"
    assert "duty_schedule" in refused.value.hint
    with pytest.raises(BadInput) as refused:
        checked("duty_schedule", {}, "fr")
    assert refused.value.field == "language"


def test_project_is_missed_when_none_is_open(context):
    with pytest.raises(BadInput) as refused:
        checked("duty_schedule", {}, "ar")
    assert refused.value.field == "project"
