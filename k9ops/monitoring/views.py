"""Pages of jobs and runs, and the home page."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from k9ops.accounts.sessions import current_actor
from k9ops.audit.exports import export_list
from k9ops.core.clock import utcnow
from k9ops.core.db import db
from k9ops.core.errors import K9Error
from k9ops.core.i18n import gettext as _
from k9ops.core.paging import Order, row_key
from k9ops.jobs.models import SHOWN_OF_ID, JobRun
from k9ops.jobs.queries import (
    RUN_HEADS,
    RunFilter,
    effects_of,
    events_of,
    get_run,
    list_runs,
    log_lines_of,
)
from k9ops.jobs.registry import catalogue, get_job, title_of
from k9ops.jobs.states import ACTIVE, RETRYABLE
from k9ops.monitoring import (
    board_list,
    charts,
    queries,
    run_export,
    run_filters,
    services,
    story,
    words,
    workers,
)
from k9ops.monitoring.forms import ArgumentsForm
from k9ops.monitoring.home import told
from k9ops.web.exports import KINDS
from k9ops.web.filters import search_words, sorted_by
from k9ops.web.formats import isolated, when
from k9ops.web.panels import panels_of
from k9ops.web.searching import SHOWN, Found, Hit
from k9ops.web.security import SIGNED_IN, requires, safe_path

bp = Blueprint("monitoring", __name__, template_folder="templates")

LOG_LINES = 500


@bp.app_context_processor
def _words() -> dict[str, Any]:
    return {"words": words, "job_title": title_of}


@bp.get("/")
@requires(SIGNED_IN)
def home() -> str:
    """What the person has to know now."""
    return render_template("monitoring/home.html", **told())


@bp.get("/jobs")
@requires("jobs.view")
def jobs() -> str:
    """Every job: is it well, since when, what can be done."""
    return render_template("monitoring/jobs.html", **_board())


@bp.get("/jobs/live")
@requires("jobs.view")
def jobs_live() -> str:
    """The board alone, for pages that keep it fresh."""
    return render_template("monitoring/_jobs.html", **_board())


def _board() -> dict[str, Any]:
    health, search, order = _asked_of_board()
    board = queries.board()
    return {
        "board": board,
        "rows": board_list.chosen(board, health, search, order),
        "health": health,
        "search": search,
        "order": order,
        "sparkline": charts.sparkline,
        **_celery(),
    }


def _asked_of_board() -> tuple[str, str, Order]:
    """The health, the words and the order that the address asks for."""
    health = request.args.get("health", "")
    return health if health in words.HEALTH else "", search_words(), sorted_by(*board_list.HEADS)


@bp.get(f"/jobs/export/{KINDS}")
@requires("jobs.view")
def export_jobs(kind: str) -> ResponseReturnValue:
    """The board as its filters show it, as a file."""
    rows = board_list.chosen(queries.board(), *_asked_of_board())
    return export_list(kind, _("Jobs"), board_list.COLUMNS, rows, actor=current_actor())


def _celery() -> dict[str, Any]:
    """What the board tells of Celery; nothing where it is off."""
    celery = workers.known_celery()
    if celery is None:
        return {"celery": None}
    waiting = workers.waiting_runs()
    return {
        "celery": celery,
        "queues": workers.queue_rows(celery, waiting),
        "stuck": workers.stuck_runs(celery, waiting),
        "asked_again_in": workers.seconds_until(celery.breaker.open_until),
        "fallen": workers.fallen_since(utcnow() - timedelta(hours=24)),
        "live_since": workers.live_since,
    }


@bp.get("/jobs/<name>/arguments")
@requires("jobs.run")
def ask_for_arguments(name: str) -> str:
    """The form of the job's arguments; `?run=` fills in those of an earlier run."""
    job, earlier = get_job(name), request.args.get("run")
    form = ArgumentsForm(job, get_run(earlier).arguments if earlier else {})
    form.show()
    return render_template("monitoring/run_job.html", job=job, form=form)


@bp.post("/jobs/<name>/arguments")
@requires("jobs.run")
def run_with_arguments(name: str) -> ResponseReturnValue:
    """Run the job now with the arguments of its form."""
    job = get_job(name)
    form = ArgumentsForm(job, {})
    arguments = form.read(request.form)
    if arguments is None:
        return render_template("monitoring/run_job.html", job=job, form=form), 422
    started, _new = services.start_once(name, arguments, via=form.via)
    flash(_("The run was asked for."), "ok")
    return redirect(url_for(".run", run_id=started.id), 303)


@bp.post("/jobs/<name>/run")
@requires("jobs.run")
def run_job(name: str) -> ResponseReturnValue:
    """Run the job now with what holds by default."""
    return _do(lambda: _say_started(services.start(name)), url_for(".jobs"))


@bp.get("/jobs/<name>/pause/confirm")
@requires("jobs.manage")
def ask_to_pause(name: str) -> str:
    """The question before a task is paused."""
    text = _("It does not run at its times until you resume it. It can still be run by hand.")
    return render_template(
        "web/confirm.html",
        title=_("Pause “%(job)s”?", job=isolated(title_of(name))),
        text=text,
        url=url_for(".pause_task", name=name),
        yes=_("Pause it"),
        no=_("Keep it running"),
        back=url_for(".jobs"),
        kind="primary",
    )


@bp.post("/jobs/<name>/pause")
@requires("jobs.manage")
def pause_task(name: str) -> ResponseReturnValue:
    return _do(lambda: _say_task(services.pause, name, _("Paused.")), url_for(".jobs"))


@bp.post("/jobs/<name>/resume")
@requires("jobs.manage")
def resume_task(name: str) -> ResponseReturnValue:
    return _do(lambda: _say_task(services.resume, name, _("Resumed.")), url_for(".jobs"))


@bp.get("/runs")
@requires("runs.view")
def runs() -> str:
    """Every occurrence of every job, narrowed by the filters in the address."""
    chosen = run_filters.choices(request.args)
    search = request.args.get("q", "")
    wanted = run_filters.run_filter(chosen, search)
    before, after = request.args.get("before"), request.args.get("after")
    order = _order_of_runs()
    page = list_runs(wanted, limit=25, before=before, after=after, order=order)
    return render_template(
        "monitoring/runs.html",
        page=page,
        choices=chosen,
        search=search,
        order=order,
        filtered=bool(search) or any(choice.value for choice in chosen),
        count=queries.count_runs(wanted) if page.newer or page.older else len(page.items),
        count_limit=queries.COUNT_LIMIT,
        gaps={key: story.missed_words(gap) for key, gap in queries.gaps_of(page.items).items()},
    )


def find_runs(text: str) -> Found:
    """The newest runs that the list finds by the words, for the search of the unit."""
    page = list_runs(RunFilter(search=text), limit=SHOWN)
    return Found([_hit(run) for run in page.items], None if page.older else len(page.items))


def _hit(run: JobRun) -> Hit:
    about = (when(run.due_at or run.queued_at), words.summary(run))
    url, sign = url_for("monitoring.run", run_id=run.id), words.STATES[run.state]
    return Hit(url, title_of(run.job), run.id[-SHOWN_OF_ID:], about, sign)


@bp.get("/runs/news")
@requires("runs.view")
def runs_news() -> str:
    """How many matching runs are newer than the page's first; they do not push the page."""
    wanted = run_filters.run_filter(run_filters.choices(request.args), request.args.get("q", ""))
    newest = request.args.get("newest", "")
    news = queries.count_runs(wanted, newer_than=newest)
    return render_template("monitoring/_news.html", news=news, newest=newest)


@bp.get(f"/runs/export/{KINDS}")
@requires("runs.view")
def export_runs(kind: str) -> ResponseReturnValue:
    """All runs that the filters of the address match, as a file."""
    chosen = run_filters.choices(request.args)
    wanted = run_filters.run_filter(chosen, request.args.get("q", ""))
    rows = queries.every_run(wanted, _order_of_runs())
    return export_list(kind, _("Runs"), run_export.COLUMNS, rows, actor=current_actor())


def _order_of_runs() -> Order:
    return sorted_by(*RUN_HEADS, default="-due")


@bp.get("/runs/<run_id>")
@requires("runs.view")
def run(run_id: str) -> str:
    """One run: its sentence, facts, attempts, moments and log."""
    return render_template("monitoring/run.html", **_told(run_id))


@bp.get("/runs/<run_id>/live")
@requires("runs.view")
def run_live(run_id: str) -> str:
    """The run without the chrome, for pages that keep it fresh."""
    return render_template("monitoring/_run.html", **_told(run_id))


def _told(run_id: str) -> dict[str, Any]:
    found = get_run(run_id)
    attempt = request.args.get("attempt", type=row_key)
    level = request.args.get("level", "").replace("\0", "")
    lines = log_lines_of(found.id, attempt=attempt, level=level or None, limit=LOG_LINES + 1)
    return {
        "run": found,
        "sentences": story.sentences(found),
        "facts": story.facts(found),
        "lanes": charts.lanes(found.attempts),
        "moments": story.timeline(events_of(found.id)),
        "effects": story.effects(effects_of(found.id)),
        "lines": lines[:LOG_LINES],
        "more_lines": len(lines) > LOG_LINES,
        "attempt": attempt,
        "level": level,
        "is_active": found.state in ACTIVE,
        "is_retryable": found.state in RETRYABLE and found.job in catalogue(),
        "is_repeatable": found.job in catalogue(),
        "panels": panels_of("run", found),
    }


@bp.get("/runs/<run_id>/log.txt")
@requires("runs.view")
def run_log(run_id: str) -> Response:
    """The whole log as a text file."""
    found = get_run(run_id)
    lines = log_lines_of(found.id, limit=100_000)
    text = "".join(
        f"{line.at.isoformat()} attempt={line.attempt} {line.level} {line.message}\n"
        for line in lines
    )
    headers = {"Content-Disposition": f'attachment; filename="run-{found.id}.log"'}
    return Response(text, mimetype="text/plain", headers=headers)


@bp.get("/runs/<run_id>/cancel/confirm")
@requires("runs.manage")
def ask_to_cancel(run_id: str) -> str:
    """The question before a run is cancelled."""
    found = get_run(run_id)
    return render_template(
        "web/confirm.html",
        title=_("Cancel this run of “%(job)s”?", job=isolated(title_of(found.job))),
        text=_("A waiting run ends at once; a running one stops at its next check."),
        url=url_for(".cancel_run", run_id=found.id),
        yes=_("Cancel the run"),
        no=_("Let it run"),
        back=url_for(".run", run_id=found.id),
        kind="danger filled",
    )


@bp.post("/runs/<run_id>/cancel")
@requires("runs.manage")
def cancel_run(run_id: str) -> ResponseReturnValue:
    back = url_for(".run", run_id=run_id)
    return _do(lambda: _say(services.cancel(run_id), _("Asked to cancel.")), back)


@bp.post("/runs/<run_id>/retry")
@requires("runs.manage")
def retry_run(run_id: str) -> ResponseReturnValue:
    """One more attempt of the same run."""
    back = url_for(".run", run_id=run_id)
    return _do(lambda: _say(services.retry(run_id), _("One more attempt was asked for.")), back)


@bp.post("/runs/<run_id>/again")
@requires("jobs.run")
def run_again(run_id: str) -> ResponseReturnValue:
    """A new run with the same arguments."""
    back = url_for(".run", run_id=run_id)
    return _do(lambda: _say_started(services.start_again(get_run(run_id))), back)


def _do(action: Callable[[], None], back: str) -> ResponseReturnValue:
    """Do it and go back; a refusal is said there and changes nothing."""
    try:
        action()
    except K9Error as error:
        db.session.rollback()
        if error.status == 404:
            raise
        flash(str(words.REFUSALS.get(error.code) or f"{error.message} {error.hint}"), "bad")
    return redirect(safe_path(request.form.get("next"), back), 303)


def _say_started(started: JobRun) -> None:
    text = _("A run of “%(job)s” was asked for", job=isolated(title_of(started.job)))
    url = url_for(".run", run_id=started.id)
    flash({"text": text, "url": url, "word": _("Open it")}, "ok")  # type: ignore[arg-type]


def _say(_done: object, text: str) -> None:
    flash(text, "ok")


def _say_task(change: Callable[..., object], name: str, text: str) -> None:
    task_job = get_job(name).name if name in catalogue() else name
    change(name)
    flash(f"{isolated(title_of(task_job))}: {text}", "ok")
