"""`flask jobs …` as scripts use it: exit codes and documents."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import update

from k9ops.audit.queries import AuditFilter, list_entries
from k9ops.core.clock import utcnow
from k9ops.core.db import db
from k9ops.jobs import dispatch
from k9ops.jobs.foreground import run_here
from k9ops.jobs.models import JobRun
from tests.support.databases import on_one_kind

UNKNOWN = "01940000-0000-7000-8000-000000000000"


@pytest.fixture
def jobs(runner):
    """`jobs("list")` → exit code and document."""

    def invoke(*arguments: str):
        answer = runner.invoke(args=["jobs", *arguments, "--json"])
        return answer.exit_code, json.loads(answer.stdout)

    return invoke


def test_list_tells_every_job_with_its_trigger_and_last_run(jobs):
    jobs("schedule", "test.sleep", "--cron", "0 2 * * *")
    jobs("run", "test.sleep")
    code, documents = jobs("list")
    found = {document["name"]: document for document in documents}
    sleep = found["test.sleep"]
    keys = {"name", "title", "queue", "enabled", "trigger", "next", "last_run"}
    assert (code, sleep.keys()) == (0, keys)
    assert (sleep["title"], sleep["enabled"], len(sleep["next"])) == ("Sleep", True, 3)
    assert sleep["last_run"]["state"] == "succeeded"
    assert found["test.fail"]["next"] == []


@pytest.mark.parametrize(
    ("job", "state", "code"),
    [
        ("test.sleep", "succeeded", 0),
        ("test.partial", "partial", 3),
        ("test.permanent", "failed", 1),
    ],
)
def test_run_executes_here_and_exits_by_its_end(jobs, job: str, state: str, code: int):
    exit_code, run = jobs("run", job)
    assert (exit_code, run["state"]) == (code, state)
    assert (run["path"], run["reason"]) == ("in_process", "celery_off")
    assert run["attempts"][0]["executor"].startswith("cli:")
    assert run["requested_by"] == "command line"


def test_run_prints_its_document_alone_when_the_job_prints(make_instance, database_url):
    own = make_instance(database_url=database_url, jobs_extra_modules="tests.support.jobs")
    done = own.flask("jobs", "run", "test.print", "--json")
    assert json.loads(done.stdout)["state"] == "succeeded"
    assert {"printed", "written"} <= set(done.stderr.splitlines())


def test_run_is_a_json_document_when_its_progress_is_endless(jobs):
    _, run = jobs("run", "test.endless")
    assert run["progress"] is None


def test_run_reads_arguments_by_their_annotations(jobs):
    code, run = jobs("run", "test.sleep", "--arg", "seconds=0.01", "--arg", "heed=false")
    assert (code, run["arguments"]) == (0, {"seconds": 0.01, "heed": False})


def test_run_with_the_same_key_is_the_same_run(jobs):
    first, again = jobs("run", "test.sleep", "--key", "k"), jobs("run", "test.sleep", "--key", "k")
    assert first[1]["id"] == again[1]["id"]
    assert len(again[1]["attempts"]) == 1
    code, answer = jobs("run", "test.sleep", "--key", "k", "--arg", "seconds=1")
    assert (code, answer["error"]["code"]) == (1, "key_in_use")


def test_run_via_celery_never_falls_back(jobs):
    code, run = jobs("run", "test.sleep", "--via", "celery")
    assert (code, run["state"], run["path"]) == (0, "queued", "celery")
    code, run = jobs("run", "test.sleep", "--via", "celery", "--timeout", "0.3")
    assert (code, run["state"]) == (1, "queued")


@on_one_kind
@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        (("run", "test.slep"), "unknown_job", "name"),
        (("run", "test.sleep", "--arg", "seconds"), "bad_input", "arg"),
        (("run", "test.sleep", "--arg", "seconds=soon"), "bad_argument", "seconds"),
        (("run", "test.sleep", "--arg", "speed=1"), "bad_argument", "speed"),
        (("run", "test.sleep", "--via", "pigeon"), "bad_input", "via"),
        (("run", "test.sleep", "--key", "\udcff"), "usage", None),
        (("run",), "usage", "name"),
        (("run", "test.sleep", "--timeout", "soon"), "usage", "timeout"),
        (("schedule", "test.sleep"), "bad_input", "cron"),
        (("schedule", "test.sleep", "--cron", "0 25 * * *"), "bad_cron", "cron"),
        (("schedule", "test.sleep", "--every", "0"), "bad_interval", "every"),
        (("schedule", "test.sleep", "--every", "60", "--misfire", "x"), "bad_input", "misfire"),
        (("pause", "test.sleep"), "no_task", "name"),
        (("show", UNKNOWN), "no_run", "run"),
        (("cancel", "nonsense"), "no_run", "run"),
        (("runs", "--state", "happy"), "bad_input", "states"),
        (("runs", "--since", "yesterday"), "bad_input", "since"),
        (("runs", "--since", "999999999w"), "bad_input", "since"),
        (("runs", "--since", "0001-01-01"), "bad_input", "since"),
        (("runs", "--before", "nonsense"), "no_run", "run"),
        (("runs", "--limit", "0"), "usage", "limit"),
    ],
)
def test_bad_input_is_one_document_with_exit_code_2(jobs, arguments, code, field):
    exit_code, answer = jobs(*arguments)
    error = answer["error"]
    assert (exit_code, error["code"], error["field"]) == (2, code, field)
    assert error["message"]
    assert error["hint"] or code == "bad_input"


def test_schedule_pause_and_resume_tell_what_holds_then(jobs):
    code, task = jobs("schedule", "test.sleep", "--every", "90", "--overlap", "skip")
    assert (code, task["enabled"], task["trigger"]["every_seconds"]) == (0, True, 90)
    assert (task["trigger"]["overlap"], task["trigger"]["misfire"]) == ("skip", "latest")
    assert task["next"].endswith("+00:00")
    code, task = jobs("pause", "test.sleep")
    assert (code, task["enabled"], task["next"]) == (0, False, None)
    code, task = jobs("resume", "test.sleep")
    assert (code, task["enabled"]) == (0, True)


def test_runs_are_filtered_and_paged(jobs):
    for job in ("test.sleep", "test.permanent", "test.sleep"):
        jobs("run", job)
    code, first = jobs("runs", "--limit", "2")
    assert (code, [run["job"] for run in first["runs"]]) == (0, ["test.sleep", "test.permanent"])
    assert [len(run["attempts"]) for run in first["runs"]] == [1, 1]
    _, rest = jobs("runs", "--limit", "2", "--before", first["next"])
    assert ([run["job"] for run in rest["runs"]], rest["next"]) == (["test.sleep"], None)
    _, failed = jobs("runs", "--state", "failed", "--state", "partial", "--path", "in_process")
    assert [run["job"] for run in failed["runs"]] == ["test.permanent"]
    assert jobs("runs", "--reason", "worker_lost")[1] == {"runs": [], "next": None}


@pytest.mark.parametrize(("since", "count"), [("2h", 1), ("30d", 2), ("2000-01-01", 2), ("90s", 1)])
def test_runs_since_takes_spans_and_instants(jobs, app, since: str, count: int):
    _, old = jobs("run", "test.sleep")
    jobs("run", "test.sleep")
    with app.app_context():
        past = utcnow() - timedelta(days=7)
        db.session.execute(update(JobRun).where(JobRun.id == old["id"]).values(queued_at=past))
        db.session.commit()
    assert len(jobs("runs", "--since", since)[1]["runs"]) == count


def test_show_cancel_and_retry_one_run(jobs, app):
    with app.app_context():
        run_id = dispatch("test.sleep").id
    code, run = jobs("cancel", run_id)
    assert (code, run["state"], run["cancel_requested"]) == (0, "cancelled", True)
    code, answer = jobs("cancel", run_id)
    assert (code, answer["error"]["code"]) == (1, "run_ended")
    code, run = jobs("retry", run_id)
    assert (code, run["state"]) == (0, "succeeded")
    assert jobs("show", run_id) == (0, run)


def test_operators_acts_are_in_the_audit_trail(jobs, app):
    jobs("schedule", "test.sleep", "--every", "60")
    jobs("pause", "test.sleep")
    jobs("resume", "test.sleep")
    _, run = jobs("run", "test.permanent")
    jobs("retry", run["id"])
    with app.app_context():
        entries = list_entries(db.session(), AuditFilter()).items
        acts = [entry.action for entry in entries if entry.target_kind in ("run", "task")]
    expected = ["task.scheduled", "task.paused", "task.resumed", "run.requested", "run.retried"]
    assert acts == expected[::-1]
    assert {entry.actor_name for entry in entries} == {"command line"}


def test_people_get_tables(runner, app):
    with app.app_context():
        run = run_here(dispatch("test.permanent").id)
    listed = runner.invoke(args=["jobs", "runs"])
    assert listed.exit_code == 0
    assert listed.stdout.splitlines()[0].split() == [
        "ID", "JOB", "STATE", "PATH", "REASON", "QUEUED", "TOOK",
    ]  # fmt: skip
    shown = runner.invoke(args=["jobs", "show", run.id]).stdout
    assert "Error: this will never work" in shown
    assert "test.permanent" in runner.invoke(args=["jobs", "list"]).stdout
    scheduled = runner.invoke(args=["jobs", "schedule", "test.sleep", "--cron", "0 2 * * *"])
    assert "0 2 * * * (Asia/Riyadh); next due" in scheduled.stdout


def test_error_without_json_is_one_line_with_its_remedy(runner):
    answer = runner.invoke(args=["jobs", "run", "test.slep"])
    assert answer.exit_code == 2
    assert answer.stderr.startswith("Error: There is no job named 'test.slep'.")
    assert "Did you mean test.sleep?" in answer.stderr
    assert answer.stdout == ""
