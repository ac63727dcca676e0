"""A whole unit for proofs that walk through every page: the sample, and work of each state."""

from datetime import time

from flask import Flask
from sqlalchemy import select

from k9ops.accounts.api_tokens import create_token
from k9ops.accounts.managing import deactivate
from k9ops.accounts.models import SecondStep
from k9ops.accounts.queries import get_user
from k9ops.accounts.second_step import new_sealed_secret
from k9ops.audit.services import COMMAND_LINE
from k9ops.backups.services import make_backup
from k9ops.core.clock import db_now
from k9ops.core.db import db, new_id
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
from tests.support.mail import settings_of
from tests.support.people import AMAL, Person

#: The sample unit's own people, who have projects, dogs and duties.
MANAGER = Person("manager", "", "project_manager", "")
HANDLER = Person("handler1", "", "handler", "")
EVERYBODY = (AMAL, MANAGER, HANDLER)
JOBS = ("tests.support.jobs",)
#: Of that unit; nobody listens at the mail server's port, and nobody is sent a mail.
SETTINGS = {"jobs_extra_modules": JOBS, **settings_of(port=1)}


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
        second_steps()
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


def second_steps() -> None:
    """The manager's second step is on, and mails reach them; the handler has begun theirs."""
    for person, since in ((MANAGER, db_now()), (HANDLER, None)):
        secret, user = new_sealed_secret(), get_user(person.username)
        step = SecondStep(user_id=user.id, secret=secret, begun_at=db_now(), on_since=since)
        db.session.add(step)
    get_user(MANAGER.username).email = "manager@unit.example"
    db.session.commit()
