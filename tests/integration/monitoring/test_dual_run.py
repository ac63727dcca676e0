"""`flask dual-run` and its page against what the ledger says by plain SQL."""

import csv
import io
import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import insert, text

from k9ops.core.clock import utcnow
from k9ops.core.db import db, new_id
from k9ops.jobs.models import JobRun
from k9ops.monitoring import dual_run as figures
from k9ops.monitoring.dual_run_kept import AT_ONCE, recent_review
from tests.support.databases import on_one_kind
from tests.support.people import sign_in
from tests.support.processes import wait_until

SQL = text("""
    SELECT job, path, reason, count(*), sum(CASE WHEN state = 'succeeded' THEN 1 ELSE 0 END)
    FROM job_runs
    WHERE path IS NOT NULL AND state IN ('succeeded', 'partial', 'failed', 'cancelled')
    GROUP BY job, path, reason
""")


def row(queued_at, **values):
    started = queued_at + timedelta(milliseconds=values.pop("wait", 40))
    fixed = {
        "id": new_id(),
        "job": "test.sleep",
        "occurrence": f"key:{new_id()}",
        "queue": "k9_tasks",
        "priority": 5,
        "state": "succeeded",
        "path": "celery",
        "reason": None,
        "queued_at": queued_at,
        "available_at": queued_at,
        "started_at": started,
        "finished_at": started,
        "duration_ms": 100.0,
    }
    return fixed | values


@pytest.fixture
def add(app):
    """`add(row, …)`: runs in the ledger."""

    def write(*rows):
        with app.app_context(), db.engine.begin() as connection:
            connection.execute(insert(JobRun), list(rows))

    return write


@pytest.fixture
def document(runner):
    """`document("--days", "7")`: what the command prints."""

    def ask(*arguments):
        answer = runner.invoke(args=["dual-run", *arguments, "--json"])
        assert answer.exit_code == 0, answer.output
        return json.loads(answer.stdout)

    return ask


@pytest.fixture
def page(client_of, amal):
    return client_of(amal)


@pytest.fixture
def noon(app):
    """Noon of the unit's today."""
    zone = app.extensions["k9ops.settings"].zone
    return utcnow().astimezone(zone).replace(hour=12, minute=0, second=0, microsecond=0)


def mixture(noon):
    """Ten days of both paths, and what does not count."""
    for day in range(10):
        at = noon - timedelta(days=day)
        yield from (row(at, wait=wait) for wait in range(10, 20))
        yield row(at, path="in_process", reason="no_worker", state="failed", duration_ms=None)
        yield row(at, path="in_process", reason="requested", job="test.partial", state="partial")
        yield row(at, state="cancelled", started_at=None, duration_ms=None)
        yield row(at, state="running")
        yield row(at, state="queued")
        yield row(at, state="missed", path=None, started_at=None)
        yield row(at, state="skipped", path=None, started_at=None)


def test_command_equals_a_count_by_sql(add, document, noon, app):
    add(*mixture(noon))
    with app.app_context():
        expected = {tuple(found[:3]): (found[3], found[4]) for found in db.session.execute(SQL)}
    told = document()
    counted = {}
    for one in told["days"]:
        runs, good = counted.get(key := (one["job"], one["path"], one["reason"]), (0, 0))
        counted[key] = (runs + one["runs"], good + one["succeeded"])
        assert one["success_rate"] == one["succeeded"] / one["runs"]
    assert counted == expected
    assert told["totals"]["runs"] == sum(runs for runs, _good in expected.values())
    assert told["totals"]["tried"] == {"runs": 120, "days": 10, "on_celery": 110}
    assert told["totals"]["reasons"] == {"no_worker": 10, "requested": 10}


def test_command_tells_waits_and_durations_of_each_path(add, document, noon):
    add(*(row(noon, wait=wait, duration_ms=wait * 10) for wait in range(1, 22)))
    told = document("--days", "1")
    (only,) = told["days"]
    assert only["wait_ms"] == pytest.approx({"p50": 11, "p95": 20})
    assert only["duration_ms"] == pytest.approx({"p50": 110, "p95": 200})
    assert told["totals"]["paths"]["in_process"] == {
        "runs": 0,
        "succeeded": 0,
        "success_rate": None,
        "wait_ms": {"p50": None, "p95": None},
        "duration_ms": {"p50": None, "p95": None},
    }


def test_days_are_those_of_the_units_calendar(add, document, noon):
    midnight = noon.replace(hour=0)
    instants = [midnight - timedelta(microseconds=1), midnight, midnight - timedelta(days=6)]
    add(*map(row, instants), row(midnight - timedelta(days=6, microseconds=1)))
    told = document("--days", "7")
    today = noon.date()
    assert (told["from"], told["to"]) == (str(today - timedelta(days=6)), str(today))
    days = [today - timedelta(days=6), today - timedelta(days=1), today]
    assert [one["day"] for one in told["days"]] == [*map(str, days)]


def test_days_follow_the_clock_when_it_is_changed(make_app):
    app = make_app(unit_timezone="Europe/Berlin")
    edges = [
        datetime(2026, 10, 24, 21, 59, tzinfo=UTC),
        datetime(2026, 10, 24, 22, tzinfo=UTC),
        datetime(2026, 10, 25, 22, 59, tzinfo=UTC),
        datetime(2026, 10, 25, 23, tzinfo=UTC),
    ]
    with app.app_context():
        with db.engine.begin() as connection:
            connection.execute(insert(JobRun), [*map(row, edges)])
        found = figures.review_between(date(2026, 10, 21), date(2026, 10, 27))
    assert {one.day.day: counted.runs for one, counted in found.groups.items()} == {
        24: 1, 25: 2, 26: 1
    }  # fmt: skip


def test_rows_are_sorted(add, document, noon):
    add(*mixture(noon))
    keys = [
        (one["day"], one["job"], one["path"], one["reason"] or "") for one in document()["days"]
    ]
    assert keys == sorted(keys)


def test_sample_units_runs_are_left_out(add, document, noon):
    add(row(noon, occurrence="sample:1", path="in_process", reason="celery_off"))
    told = document()
    assert (told["days"], told["totals"]["runs"]) == ([], 0)


@pytest.mark.parametrize(
    ("reason", "code", "because"),
    [
        (None, "switch_off", "No run lost its worker."),
        ("worker_lost", "keep", "One run lost its worker and ran here."),
    ],
)
def test_verdict_names_its_reasons(add, document, noon, reason, code, because):
    add(*(row(noon - timedelta(days=day % 8)) for day in range(400)))
    if reason:
        add(row(noon, path="in_process", reason=reason))
    verdict = document()["verdict"]
    assert verdict["code"] == code
    assert because in verdict["because"]
    assert document("--days", "6")["verdict"]["code"] == "too_few"


def test_people_get_a_table_and_the_verdict(add, runner, noon):
    add(*mixture(noon))
    told = runner.invoke(args=["dual-run"]).stdout
    assert told.splitlines()[0].split()[:4] == ["PATH", "REASON", "RUNS", "SUCCESS"]
    assert re.search(r"in_process +no_worker +10 +0.0%", told)
    assert (
        "Keep the fallback for now. Of 120 runs that tried Celery, 110 ended on it, 91.6%" in told
    )
    assert "- 91.6% of the runs that tried Celery ended on it; 99.5% is needed." in told


@on_one_kind
@pytest.mark.parametrize("days", ["0", "3651", "-1", "soon", "1.5"])
def test_bad_days_end_with_2_and_say_what_is_taken(runner, days):
    answer = runner.invoke(args=["dual-run", "--days", days])
    assert answer.exit_code == 2
    assert "--days" in answer.stderr
    told = json.loads(runner.invoke(args=["dual-run", "--days", days, "--json"]).stdout)
    assert (told["error"]["code"], told["error"]["field"]) == ("usage", "days")


def cells(html):
    return [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", html)]


def test_page_shows_the_commands_figures(add, document, page, noon):
    add(*mixture(noon))
    told = document()
    html = page.get("/dual-run?lang=en").text
    table = html.split("Wait and duration</caption>")[1].split("</table>")[0]
    for path, title in (("celery", "Celery"), ("in_process", "In process")):
        counted = told["totals"]["paths"][path]
        place = cells(table).index(title)
        assert cells(table)[place + 1] == str(counted["runs"])
        assert cells(table)[place + 2] == f"{int(counted['success_rate'] * 1000) / 10:.1f}%"
    assert told["verdict"]["text"].partition(". ")[2] in html
    for reason in told["verdict"]["because"]:
        assert reason in html


def test_page_leads_from_reasons_to_their_runs(add, page, noon):
    add(*mixture(noon))
    html = page.get("/dual-run?days=7&lang=en").text
    link = re.search(r'href="(/runs\?[^"]*reason=no_worker[^"]*)"', html)[1].replace("&amp;", "&")
    assert "path=in_process" in link
    assert "when=7d" in link
    listed = page.get(link).text
    assert "No live worker" in listed


def test_page_is_narrowed_by_the_address(add, page, noon):
    add(row(noon), row(noon - timedelta(days=20)), row(noon, job="test.partial"))
    narrowed = page.get("/dual-run?days=7&job=test.sleep&lang=en").text
    assert "Runs that tried Celery: 1; 50 are needed." in narrowed
    for address in ("/dual-run?lang=en", "/dual-run?days=8&job=nonsense&lang=en"):
        assert "Runs that tried Celery: 3; 50 are needed." in page.get(address).text


def test_page_says_so_when_nothing_ran(page):
    html = page.get("/dual-run?lang=en").text
    assert "No run has ended in this time" in html
    assert "Celery is switched off in the settings." in html


@on_one_kind
@pytest.mark.parametrize(
    ("fallback", "words"),
    [("on", "The fallback to the application is on."), ("off", "CELERY_FALLBACK=on brings")],
)
def test_page_tells_the_setting_of_the_fallback(make_app, amal, fallback, words):
    broker = "redis://127.0.0.1:1/1"
    app = make_app(use_celery="true", celery_broker_url=broker, celery_fallback=fallback)
    assert words in sign_in(app.test_client(), amal).get("/dual-run?lang=en").text


def test_figures_are_given_for_a_spreadsheet(add, document, page, noon):
    add(*mixture(noon))
    answer = page.get("/dual-run.csv")
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    told = document()["days"]
    assert [(one["day"], one["job"], one["path"], int(one["runs"])) for one in rows] == [
        (one["day"], one["job"], one["path"], one["runs"]) for one in told
    ]
    assert float(rows[0]["wait_ms_p50"]) == told[0]["wait_ms"]["p50"]


def test_figures_are_kept_for_a_moment_and_then_read_again(add, context, noon):
    add(row(noon))
    figures.review(30)  # the next is quick, and what was quick to find is kept for a short time
    first = recent_review(30)
    assert recent_review(30) is first
    add(row(noon))
    wait_until(lambda: recent_review(30).whole.runs == 2)


def test_many_runs_are_counted_beside_the_page(add, page, noon):
    add(*(row(noon - timedelta(seconds=n)) for n in range(AT_ONCE + 1)))
    first = page.get("/dual-run?lang=en")
    assert "The runs are being counted" in first.text
    wait_until(lambda: page.get("/dual-run/live").status_code == 303)
    text = page.get("/dual-run?lang=en").text
    assert "The runs are being counted" not in text
    assert "2,001" in text
