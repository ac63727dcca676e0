"""The page of documents as each person meets it."""

import hashlib
import html
import re

import pytest
from sqlalchemy import select

from k9ops.audit.models import AuditEntry
from k9ops.core.db import db, new_id
from k9ops.jobs.models import JobRun
from k9ops.reports.models import Document
from k9ops.reports.queries import data_dir
from tests.support.people import csrf_token
from tests.support.unit import add_unit

NEW = "/documents/new/duty_schedule"
CONTENT = b"%PDF-1.7 a document"


@pytest.fixture
def unit(app):
    # Without a context that is held open: two people share no request.
    return add_unit(app)


@pytest.fixture
def add_document(app):
    """`add_document(project, title)`: one that lies there, without the work of making it."""

    def add(project, title="Duty schedule", content=CONTENT):
        run_id = new_id()
        with app.app_context():
            path = data_dir() / "reports" / f"{run_id}.pdf"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            document = Document(
                run_id=run_id, report="duty_schedule", language="ar", project_id=project,
                arguments={"project": "HRB", "date": "2026-11-17"}, title=title, pages=1,
                path=f"reports/{run_id}.pdf", bytes=len(content),
                sha256=hashlib.sha256(content).hexdigest(), requested_by="amal",
            )  # fmt: skip
            db.session.add(document)
            db.session.commit()
            return document.id, path

    return add


@pytest.fixture
def runs(app):
    def read():
        with app.app_context():
            return list(db.session.scalars(select(JobRun).where(JobRun.queue == "reports")))

    return read


@pytest.fixture
def actions(app):
    def read():
        with app.app_context():
            return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))

    return read


def titles(client, address):
    return re.findall(r'download"><bdi>([^<]+)</bdi>', client.get(address).text)


def test_list_is_filtered_sorted_and_taken_along(client_of, amal, unit, add_document):
    for title, size in (("Bravo", 3), ("Alpha", 2), ("Charlie", 1)):
        add_document(unit.harbour, title, b"%" * size)
    client = client_of(amal)
    assert titles(client, "/documents") == ["Charlie", "Alpha", "Bravo"]
    assert titles(client, "/documents?sort=title") == ["Alpha", "Bravo", "Charlie"]
    assert titles(client, "/documents?sort=-size") == ["Bravo", "Alpha", "Charlie"]
    assert titles(client, "/documents?q=ALPH&report=duty_schedule") == ["Alpha"]
    assert titles(client, f"/documents?project={unit.harbour}&from=2020-01-01&sort=made") == [
        "Bravo", "Alpha", "Charlie",
    ]  # fmt: skip
    for nothing in ("report=monthly_attendance", "to=2020-01-01"):
        assert "No document matches these filters" in client.get(f"/documents?{nothing}").text
    file = client.get("/documents/export/csv?sort=title&q=a").data.decode("utf-8-sig")
    rows = [line.split(",") for line in file.splitlines()]
    assert rows[0][:3] == ["Document", "Report", "Project"]
    assert [row[0] for row in rows[1:]] == ["Alpha", "Bravo", "Charlie"]


def test_file_of_the_list_holds_only_what_one_may_see(client_of, caline, badr, unit, add_document):
    add_document(unit.harbour, "Ours")
    add_document(unit.airport, "Theirs")
    manager = client_of(caline)
    assert "Theirs" not in manager.get("/documents/export/csv").text
    assert "Ours" in manager.get("/documents/export/csv").text
    assert client_of(badr).get("/documents/export/csv").status_code == 403


def ask(client, address=NEW, **fields):
    token = csrf_token(client.get(f"{address}?lang=en").text)
    return client.post(address, data={"csrf_token": token, "language": "ar", **fields})


def test_list_shows_only_documents_of_projects_that_one_sees(
    unit, add_document, client_of, amal, caline
):
    add_document(unit.harbour, "The harbour's")
    add_document(unit.airport, "The airport's")
    add_document(None, "Nobody's")
    shown = client_of(amal).get("/documents?lang=en").text
    assert all(f"{whose}&#39;s" in shown for whose in ("The harbour", "The airport", "Nobody"))
    shown = client_of(caline).get("/documents?lang=en").text
    assert "The harbour&#39;s" in shown
    assert "The airport" not in shown
    assert "Nobody" not in shown


def test_list_is_paged_when_there_are_many(unit, add_document, client_of, amal):
    documents = [add_document(unit.harbour, f"Number {n:02}")[0] for n in range(27)]
    page = client_of(amal)
    first = page.get("/documents?lang=en").text
    assert "Number 26" in first
    assert "Number 01" not in first
    second = page.get(f"/documents?lang=en&before={documents[2]}").text
    assert "Number 01" in second


def test_pages_sorted_by_title_follow_each_other_by_their_links(
    unit, add_document, client_of, amal
):
    for number in range(27):
        add_document(unit.harbour, f"كشف ~ 100% & #{number:02}")
    page = client_of(amal)
    first = page.get("/documents?lang=en&sort=title").text
    older = html.unescape(re.search(r'rel="next" href="([^"]+)"', first)[1])
    second = page.get(older).text
    assert re.findall(r"#(\d\d)<", second) == ["25", "26"]
    newer = html.unescape(re.search(r'rel="prev" href="([^"]+)"', second)[1])
    assert re.findall(r"#(\d\d)<", page.get(newer).text) == re.findall(r"#(\d\d)<", first)


def test_handlers_see_no_documents(unit, add_document, client_of, badr):
    document, _ = add_document(unit.harbour)
    client = client_of(badr)
    assert client.get("/documents").status_code == 403
    assert client.get(NEW).status_code == 403
    assert client.get(f"/documents/{document}/download").status_code == 403


def test_administrator_is_led_to_the_run_when_asking(unit, client_of, amal, runs, actions):
    answer = ask(client_of(amal), project="AIR", date="2026-11-17")
    (run,) = runs()
    assert (answer.status_code, answer.location) == (303, f"/runs/{run.id}")
    assert run.requested_by == "amal"
    assert run.arguments == {
        "report": "duty_schedule",
        "arguments": {"project": "AIR", "date": "2026-11-17"},
        "language": "ar",
    }
    assert "document.requested" in actions()


def test_manager_is_led_back_and_told_when_asking(unit, client_of, caline, runs):
    client = client_of(caline)
    answer = ask(client, project="HRB", date="2026-11-17")
    assert (answer.status_code, answer.location) == (303, "/documents")
    assert "is being made" in client.get("/documents?lang=en").text
    assert len(runs()) == 1


def test_manager_gets_no_document_of_another_project(unit, add_document, client_of, caline, runs):
    client = client_of(caline)
    assert "Airport" not in client.get(f"{NEW}?lang=en").text
    for name in ("AIR", str(unit.airport)):
        assert ask(client, project=name, date="2026-11-17").status_code == 422
    assert runs() == []
    document, _ = add_document(unit.airport)
    assert client.get(f"/documents/{document}/download").status_code == 404


@pytest.mark.parametrize("date", ["2026-02-30", "yesterday", "2026-11-17\0"])
def test_form_keeps_what_was_typed_when_it_is_wrong(unit, client_of, amal, date, runs):
    answer = ask(client_of(amal), project="AIR", date=date)
    assert answer.status_code == 422
    assert "is no date" in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert '<option value="AIR" selected>' in answer.text
    assert runs() == []


def test_failure_is_told_to_who_asked(unit, client_of, caline, app):
    client = client_of(caline)
    ask(client, project="HRB", date="2026-11-17")
    with app.app_context():
        run = db.session.scalars(select(JobRun)).one()
        run.state, run.error_message = "failed", "The fonts are missing."
        db.session.commit()
    shown = client.get("/documents?lang=en").text
    assert "could not be made" in shown
    assert "The fonts are missing." in shown


def test_form_asks_for_the_month_when_the_report_takes_one(unit, client_of, amal):
    address = "/documents/new/monthly_attendance"
    assert 'type="month"' in client_of(amal).get(address).text
    assert ask(client_of(amal), address, project="HRB", month="2026-11").status_code == 303


def test_page_is_not_found_when_there_is_no_such_report(unit, client_of, amal):
    assert client_of(amal).get("/documents/new/nothing").status_code == 404


def test_download_gives_the_file_and_is_audited(unit, add_document, client_of, caline, actions):
    document, _ = add_document(unit.harbour)
    with client_of(caline).get(f"/documents/{document}/download") as answer:
        assert answer.data == CONTENT
        assert answer.mimetype == "application/pdf"
        name = "duty_schedule_HRB_2026-11-17_ar.pdf"
        assert name in answer.headers["Content-Disposition"]
    assert "document.downloaded" in actions()


@pytest.mark.parametrize(("damage", "status"), [("missing", 404), ("changed", 409)])
def test_download_says_so_when_the_file_is(
    unit, add_document, client_of, amal, damage, status, actions
):
    document, path = add_document(unit.harbour)
    path.unlink() if damage == "missing" else path.write_bytes(b"%PDF-1.7 another one!")
    answer = client_of(amal).get(f"/documents/{document}/download?lang=en")
    assert answer.status_code == status
    assert "made again" in answer.text
    assert "document.downloaded" not in actions()


def test_nobody_downloads_when_signed_out(unit, add_document, client):
    document, _ = add_document(unit.harbour)
    assert client.get(f"/documents/{document}/download").status_code == 302


def test_readyz_tells_that_documents_can_be_made(client):
    assert client.get("/readyz").json["checks"]["documents"]["status"] == "ok"


def test_readyz_is_degraded_when_data_dir_cannot_be_used(client, tmp_path):
    (tmp_path / "data").write_text("a file in the way")
    check = client.get("/readyz").json["checks"]["documents"]
    assert (check["status"], check["detail"]) == ("degraded", "DATA_DIR cannot be written to.")
