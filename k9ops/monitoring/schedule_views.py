"""Pages of a task's schedule: change it after seeing what it comes to, and all earlier ones."""

from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from k9ops.core.db import db
from k9ops.core.errors import Conflict, NotFound
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.core.paging import row_key
from k9ops.jobs.models import PeriodicTask, TaskVersion
from k9ops.jobs.registry import get_job
from k9ops.jobs.versions import TERMS, versions_of
from k9ops.monitoring import forms, queries, services, words
from k9ops.monitoring.forms import ScheduleForm
from k9ops.monitoring.trigger_words import trigger_sentence
from k9ops.web.formats import isolated
from k9ops.web.security import requires
from k9ops.web.words import Word

bp = Blueprint("job_schedule", __name__, template_folder="templates")

VERSIONS = 25
#: What an edit did.
EDITS: dict[str, Word] = {
    "followed": Word(_l("Set by the product"), "settings", "wait"),
    "scheduled": Word(_l("Schedule changed"), "calendar-clock", "run"),
    "paused": Word(_l("Paused"), "circle-pause", "off"),
    "resumed": Word(_l("Resumed"), "circle-play", "ok"),
}
_TITLES: dict[str, Any] = {
    "trigger": _l("Due"),
    "timezone": _l("Clock of the crontab"),
    "misfire": _l("When times were missed"),
    "overlap": _l("While the one before still runs"),
}


@bp.route("/jobs/<name>/schedule", methods=["GET", "POST"])
@requires("jobs.manage")
def change(name: str) -> ResponseReturnValue:
    """Change when the task is due; what it comes to is shown before it is saved."""
    task = _task_of(name)
    shown = _version_of(task) if "version" in request.args else task
    form = ScheduleForm(shown, task)
    right = form.validate() if request.method == "POST" else form.validate_shown()
    if right and request.method == "POST" and "preview" not in request.form:
        try:
            saved = services.schedule(name, **form.terms(), seen=form.seen_version)
        except Conflict:
            db.session.rollback()
            return _page(name, _look_again(form, name), form, stale=True), 409
        flash(_say_saved(saved), "ok")
        return redirect(url_for("monitoring.jobs"), 303)
    return _page(name, task, form, shown), 200 if right or request.method == "GET" else 422


def _page(
    name: str,
    task: PeriodicTask | None,
    form: ScheduleForm,
    shown: PeriodicTask | TaskVersion | None = None,
    *,
    stale: bool = False,
) -> str:
    return render_template(
        "monitoring/schedule.html",
        name=name,
        title=words.task_title(name, task),
        task=task,
        form=form,
        preview=None if form.errors else form.preview(),
        earlier=shown if isinstance(shown, TaskVersion) else None,
        stale=stale,
        sentence=trigger_sentence,
    )


def _look_again(form: ScheduleForm, name: str) -> PeriodicTask | None:
    """The task as it is now; the form goes by it, and what was typed stays."""
    task = _task_of(name)
    form.seen.data = str(task.version if task else 0)
    return task


def _say_saved(task: PeriodicTask) -> str:
    job = isolated(words.task_title(task.name, task))
    when = trigger_sentence(task.cron, task.every_seconds)
    return _("%(job)s is due from now on: %(when)s", job=job, when=isolated(when))


@bp.get("/jobs/<name>/schedule/versions")
@requires("jobs.view")
def versions(name: str) -> str:
    """Every version of the task's schedule, who made it, and what it changed."""
    task = _task_of(name)
    before = request.args.get("before", type=row_key)
    found = versions_of(task, VERSIONS + 1, before) if task else []
    shown = found[:VERSIONS]
    return render_template(
        "monitoring/schedule_versions.html",
        name=name,
        title=words.task_title(name, task),
        task=task,
        lines=[_line(*pair) for pair in zip_longest(shown, found[1 : VERSIONS + 1])],
        older=shown[-1].version if len(found) > VERSIONS else None,
        newest=before is None,
    )


@dataclass(frozen=True)
class Change:
    """One term that an edit changed, in words."""

    title: Any
    before: str
    now: str


@dataclass(frozen=True)
class Line:
    """One version of a schedule as its page tells it."""

    version: TaskVersion
    sign: Word
    sentence: str
    changes: list[Change]


def _line(version: TaskVersion, before: TaskVersion | None) -> Line:
    """`before` is the version that it replaced."""
    sentence = trigger_sentence(version.cron, version.every_seconds)
    return Line(version, EDITS[version.kind], sentence, _changes(before, version) if before else [])


def _changes(before: TaskVersion, now: TaskVersion) -> list[Change]:
    old, new = _terms(before), _terms(now)
    return [Change(_TITLES[key], old[key], new[key]) for key in new if old[key] != new[key]]


def _terms(version: TaskVersion) -> dict[str, str]:
    told = {name: str(getattr(version, name)) for name in TERMS if name in _TITLES}
    told["misfire"] = str(forms.MISFIRE[version.misfire])
    told["overlap"] = str(forms.OVERLAP[version.overlap])
    return {"trigger": trigger_sentence(version.cron, version.every_seconds), **told}


def _task_of(name: str) -> PeriodicTask | None:
    """The task of this name; None for a job that has none yet.

    Raises:
        UnknownJob: there is neither.
    """
    task = queries.task_named(name)
    if task is None:
        get_job(name)
    return task


def _version_of(task: PeriodicTask | None) -> TaskVersion:
    """The version that the address asks for.

    Raises:
        NotFound: there is none.
    """
    number = request.args.get("version", type=row_key)
    found = versions_of(task, 1, number + 1) if task and number else []
    if not found or found[0].version != number:
        raise NotFound(_("There is no such version of this schedule."), code="no_version")
    return found[0]
