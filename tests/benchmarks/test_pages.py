"""Every page over a unit of twenty times the sample's size, at the server, for one client."""

import gc
import statistics
import time
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, text

from k9ops.app import create_app
from k9ops.core.clock import utcnow
from k9ops.core.db import db, new_id
from k9ops.jobs.models import JobRun
from k9ops.jobs.states import Path, Reason, State
from k9ops.jobs.tasks import sync_tasks
from k9ops.kennel.models import Dog
from k9ops.people.models import Person, Work
from k9ops.projects.models import Project
from k9ops.reports.models import Document
from k9ops.sample import load_sample
from k9ops.schedules.models import DutySchedule
from tests.benchmarks.conftest import SCALE
from tests.support import people
from tests.support.crawling import REDIRECTS
from tests.support.databases import dispose, make_settings
from tests.support.people import AMAL, sign_in
from tests.support.statements import counted
from tests.support.unit import today
from tests.support.whole import pages_of

#: How many times the sample unit, and how many runs and documents beside it.
UNITS, RUNS, DOCUMENTS = max(1, round(20 * SCALE)), int(200_000 * SCALE), int(5_000 * SCALE)
STATES = (State.SUCCEEDED,) * 17 + (State.FAILED, State.PARTIAL, State.CANCELLED)
#: The best of so many rounds counts: the machine has slower moments than ours.
ROUNDS, CALLS = 3, 40
TARGET_MS, TARGET_STATEMENTS, TARGET_BYTES = 60, 25, 200_000
PAGES = (
    "/",
    "/schedules",
    "/schedules?span=week",
    "/schedules/{day}",
    "/people",
    "/people?q=a",
    "/people/{person}",
    "/dogs",
    "/dogs/{dog}",
    "/projects",
    "/projects/{project}",
    "/notifications",
    "/documents",
    "/jobs",
    "/runs",
    "/runs?state=failed",
    "/runs?job=backups.run_automated_backup",
    "/runs?q=deadline",
    "/runs?q=nothing-is-like-this",
    "/runs?q=zz",
    "/runs?q=0123abcd",
    "/runs/many?deed=retry&all=yes&state=failed",
    "/runs/{run}",
    "/jobs/backups.run_automated_backup/schedule",
    "/jobs/backups.run_automated_backup/schedule/versions",
    "/jobs/notifications.cleanup_old_notifications/arguments",
    "/dual-run",
    "/backups",
    "/search?q=a",
    "/search?q=0123abcd",
    "/search?q=nothing-is-like-this",
)


def run(number, now):
    at = now - timedelta(minutes=RUNS - number)
    return {
        "id": new_id(),
        "job": "backups.run_automated_backup" if number % 3 else "notifications.cleanup",
        "occurrence": f"key:{number}",
        "queue": "k9_tasks",
        "priority": 5,
        "state": STATES[number % len(STATES)],
        "path": Path.IN_PROCESS,
        "reason": Reason.CELERY_OFF,
        "queued_at": at,
        "available_at": at,
        "started_at": at,
        "finished_at": at + timedelta(seconds=3),
        "duration_ms": 3000,
        "error_message": trouble(number),
    }


def trouble(number):
    """What the runs that did not succeed told."""
    if number % len(STATES) < STATES.count(State.SUCCEEDED):
        return None
    return f"TimeoutError: attempt {number} met its deadline while it wrote to the disk"


def document(number, projects):
    return {
        "run_id": new_id(),
        "report": "duty_schedule",
        "arguments": {},
        "language": "ar",
        "project_id": projects[number % len(projects)],
        "title": f"Duty {number}",
        "path": f"documents/{number}.pdf",
        "bytes": 40_000,
        "pages": 2,
        "sha256": "0" * 64,
        "requested_by": "amal",
    }


def fill():
    """The large unit, and beside it runs and documents."""
    sync_tasks()
    password = load_sample(UNITS).password
    now = utcnow()
    projects = list(db.session.scalars(select(Project.id)))
    with db.engine.begin() as connection:
        for first in range(0, RUNS, 5000):
            rows = [run(number, now) for number in range(first, min(first + 5000, RUNS))]
            connection.execute(insert(JobRun), rows)
        connection.execute(insert(Document), [document(n, projects) for n in range(DOCUMENTS)])
    vacuum()
    return password


def vacuum():
    """As a unit's tables are; the server would do it by itself, beside the first pages measured."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def ids():
    """One of each thing that has a page."""
    of = {
        "day": select(DutySchedule.id).where(DutySchedule.date == today()),
        "person": select(Person.id).where(Person.work == Work.HANDLER),
        "dog": select(Dog.id),
        "project": select(Project.id),
        "run": select(JobRun.id).order_by(JobRun.id.desc()),
    }
    return {name: db.session.scalars(query.limit(1)).one() for name, query in of.items()}


@pytest.fixture(scope="module")
def unit(databases, tmp_path_factory):
    """The application on the filled database, the sample's password, and an id of each thing."""
    url = databases.new("postgresql")
    app = create_app(make_settings(tmp_path_factory.mktemp("pages"), database_url=url))
    with app.app_context():
        password = fill()
        known = ids()
    # As a web worker does when it starts; it has not filled a database either.
    gc.collect()
    gc.freeze()
    yield app, password, known
    gc.unfreeze()
    dispose(app)
    databases.drop(url)


def slowest_twentieth(client, path):
    """How long 95% of the calls took at most."""
    times = []
    for _ in range(CALLS):
        began = time.perf_counter()
        client.get(path)
        times.append((time.perf_counter() - began) * 1000)
    return statistics.quantiles(times, n=20)[-1]


@pytest.fixture
def measure(unit, figure):
    """Call a page often, and say how long the slow calls took and what it asked."""
    app, _password, known = unit

    def call(client, page, name=""):
        path, name = page.format(**known), name or page
        with counted(app) as statements:
            answer = client.get(path)
            assert answer.status_code == 200
        assert len(answer.data) <= TARGET_BYTES
        slow = min(slowest_twentieth(client, path) for _ in range(ROUNDS))
        figure(f"{name}, slowest twentieth", slow, "ms", TARGET_MS)
        figure(f"{name}, statements", len(statements), "  ", TARGET_STATEMENTS)
        assert len(statements) <= TARGET_STATEMENTS, "\n".join(statements)

    return call


@pytest.mark.parametrize("page", PAGES)
def test_page_of_an_administrator(unit, measure, page):
    measure(sign_in(unit[0].test_client(), AMAL), page)


def test_other_pages_of_an_administrator(unit, measure):
    """What is linked from somewhere and not measured above."""
    app, _password, known = unit
    client = sign_in(app.test_client(), AMAL)
    measured = {*REDIRECTS, *(page.format(**known) for page in PAGES)}
    pages = pages_of(app, client, AMAL.role)
    gc.collect()
    gc.freeze()  # what the walk left behind, which no server has
    for page in pages:
        if page not in measured:
            measure(client, page)


OTHERS = [("manager", "/search?q=a")]
OTHERS += [(name, page) for name in ("manager", "handler1") for page in ("/", "/schedules")]


@pytest.mark.parametrize(("name", "page"), OTHERS)
def test_page_of_others(unit, measure, page, name):
    app, password, _known = unit
    client = sign_in(app.test_client(), people.Person(name, "", "", password))
    measure(client, page, f"{page} for {name}")
