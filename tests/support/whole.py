"""A whole unit for proofs that walk through every page: the sample, and work of each state."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from k9ops.accounts.api_tokens import create_token
from k9ops.accounts.managing import deactivate
from k9ops.accounts.models import TwoStep
from k9ops.accounts.queries import get_user
from k9ops.accounts.two_step_codes import new_sealed_secret
from k9ops.app import create_app
from k9ops.audit.services import COMMAND_LINE
from k9ops.backups.services import make_backup
from k9ops.core.clock import db_now
from k9ops.core.db import db, new_id
from k9ops.core.settings import CHANGEABLE
from k9ops.jobs import dispatch
from k9ops.jobs.foreground import run_here
from k9ops.jobs.runner import take
from k9ops.jobs.tasks import pause_task, sync_tasks
from k9ops.notifications.jobs import CLEAN_UP
from k9ops.projects.models import Place
from k9ops.projects.services import close_place
from k9ops.reports.services import make_document
from k9ops.sample import load_sample
from k9ops.schedules.shifts import ShiftValues, add_shift, retire_shift
from tests.support.crawling import Crawler
from tests.support.databases import dispose, make_settings
from tests.support.mail import settings_of
from tests.support.people import AMAL, Person, signed_in_client
from tests.support.processes import Instance, Server

#: The sample unit's own people, who have projects, dogs and duties.
MANAGER = Person("manager", "", "project_manager", "")
HANDLER = Person("handler1", "", "handler", "")
EVERYBODY = (AMAL, MANAGER, HANDLER)
JOBS = ("tests.support.jobs",)
#: Of that unit; nobody listens at the mail server's port, and nobody is sent a mail.
SETTINGS = {"jobs_extra_modules": JOBS, **settings_of(port=1)}
#: What is no page of its own: files, and pieces that a page fetches.
NO_PAGES = ("/static/", "/api/", "/healthz", "/readyz", "/live", "/news", "/export/", "/download")


def add_whole_unit(app: Flask) -> list[str]:
    """Load the sample unit; add a backup, a document, tokens, what is over, runs of each state.

    The addresses of what else would stand on a later page of a list.
    """
    with app.app_context():
        sync_tasks()
        load_sample()
        make_backup()
        make_document(new_id(), "duty_schedule", {}, "ar", by=MANAGER.username)
        for person in EVERYBODY:
            create_token(person.username, "a program", days=30, actor=COMMAND_LINE)
        two_steps()
        user = deactivate(get_user("handler4").id, actor=COMMAND_LINE).id
        place = db.session.scalars(select(Place)).first()
        close_place(place.project_id, place.id, actor=COMMAND_LINE)
        pause_task(CLEAN_UP, AMAL.username)
        shift = add_shift(ShiftValues("احتياط", time(1), time(5)), actor=COMMAND_LINE)
        retire_shift(shift.id, actor=COMMAND_LINE)
        runs = [
            run_here(dispatch(job, requested_by=AMAL.username).id)
            for job in ("test.permanent", "test.partial", "test.progress")
        ]
        runs += [dispatch("test.sleep"), dispatch("test.words", requested_by="schedule")]
        take(runs[3].id, "web:elsewhere:1")
        manager = get_user(MANAGER.username).id
        others = [f"/projects/{place.project_id}", f"/users/{user}", f"/users/{manager}"]
        return [f"/runs/{run.id}" for run in runs] + others


def two_steps() -> None:
    """Of the manager it is on, and mails reach them; the handler has begun theirs."""
    for person, since in ((MANAGER, db_now()), (HANDLER, None)):
        secret, user = new_sealed_secret(), get_user(person.username)
        step = TwoStep(user_id=user.id, secret=secret, begun_at=db_now(), on_since=since)
        db.session.add(step)
    get_user(MANAGER.username).email = "manager@unit.example"
    db.session.commit()


@dataclass
class RunningUnit:
    """The whole unit on a running server, and an application on the same database."""

    app: Flask
    server: Server
    starts: list[str]
    _pages: dict[str, list[str]] = field(default_factory=dict)

    def pages(self, person: Person) -> list[str]:
        """One address of each page that the person can find."""
        if person.username not in self._pages:
            starts = self.starts if person is AMAL else ()
            client = signed_in_client(self.app, person)
            self._pages[person.username] = pages_of(self.app, client, person.role, *starts)
        return self._pages[person.username]


def pages_of(app: Flask, client: FlaskClient, role: str, *starts: str) -> list[str]:
    """One address of each page that who is signed in can find."""
    walk = Crawler(app, client, role, "en", brief=True)
    found = walk.walk(*starts).addresses
    pages = [found[rule] for rule in found if rule in walk.found.opened]
    return [one for one in pages if _is_page(one)]


def _is_page(address: str) -> bool:
    return not any(part in address for part in NO_PAGES) and "." not in address[-8:]


@contextmanager
def running_unit(database_url: str, folder: Path, **others: object) -> Iterator[RunningUnit]:
    """The whole unit in a database that has the tests' people, and its server."""
    settings = {"database_url": database_url, **SETTINGS, **others}
    app = create_app(make_settings(folder, **settings))
    fixed = {"secret_key": "only for tests", "app_env": "testing"}
    left_to_its_page = dict.fromkeys(CHANGEABLE)
    instance = Instance(folder, {**fixed, **settings, **left_to_its_page})
    try:
        starts = add_whole_unit(app)
        yield RunningUnit(app, instance.start(), starts)
    finally:
        instance.close()
        dispose(app)
