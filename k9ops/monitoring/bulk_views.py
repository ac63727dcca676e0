"""Cancel or retry the chosen runs, or a whole filter: a count first, then what came of it."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from k9ops.accounts.sessions import current_actor
from k9ops.core.errors import BadInput, NotFound
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import ngettext
from k9ops.jobs.dispatch import dispatch
from k9ops.jobs.queries import known_id
from k9ops.monitoring import bulk, run_filters, words
from k9ops.monitoring.jobs import CHANGE_MANY
from k9ops.web.security import requires

bp = Blueprint("many_runs", __name__, template_folder="templates")

#: So many are done while the person waits; more by a job.
AT_ONCE = 25


@bp.get("/runs/many")
@requires("runs.manage")
def confirm() -> ResponseReturnValue:
    """The question, with how many runs it is about."""
    try:
        deed, which = _meant(request.args)
    except BadInput as error:
        return _refuse(error, request.args)
    counts = bulk.count_by_state(which)
    return render_template(
        "monitoring/many_runs.html",
        deed=deed,
        which=which,
        counts=counts,
        possible=bulk.possible(deed, counts),
        others=[
            (words.STATES[state], count)
            for state, count in counts.items()
            if state not in bulk.POSSIBLE[deed]
        ],
        back=_back(request.args),
        fields=[(k, v) for k, v in request.args.items(multi=True) if k not in ("until", "lang")],
    )


@bp.post("/runs/many")
@requires("runs.manage")
def change() -> ResponseReturnValue:
    """Do it at once with a few, by a job with many."""
    try:
        deed, which = _meant(request.form)
    except BadInput as error:
        return _refuse(error, request.form)
    back = _back(request.form)
    if which.wanted is not None and bulk.possible(deed, bulk.count_by_state(which)) > AT_ONCE:
        arguments = {
            "deed": deed,
            "wanted": bulk.as_json(which.wanted),
            "until": which.until,
        }
        run = dispatch(CHANGE_MANY, arguments, requested_by=current_actor().name)
        flash(_("It is being done in the background; its result will stand here."), "ok")
        return redirect(url_for("monitoring.run", run_id=run.id), 303)
    ids = which.ids if which.wanted is None else bulk.ids_of(deed, which)
    _tell(deed, bulk.do(deed, ids, current_actor()))
    return redirect(back, 303)


def _meant(given: Any) -> tuple[str, bulk.Which]:
    """What is to be done, and with which runs.

    Raises:
        BadInput: nothing is chosen, or the deed is unknown.
    """
    deed = given.get("deed", "")
    if deed not in bulk.POSSIBLE:
        raise BadInput(_("Choose what to do: cancel or retry."), field="deed")
    if given.get("all"):
        wanted = run_filters.run_filter(run_filters.choices(given), given.get("q", ""))
        until = known_id(given["until"]) if given.get("until") else bulk.newest_id()
        return deed, bulk.Which(wanted=wanted, until=until)
    ids = tuple(dict.fromkeys(filter(None, map(_id, given.getlist("run")[:100]))))
    if not ids:
        raise BadInput(_("No run was chosen."), field="run", hint=_("Go back and mark some."))
    return deed, bulk.Which(ids=ids)


def _refuse(error: BadInput, given: Any) -> ResponseReturnValue:
    """Back to the list, where it is said what was missing."""
    flash(f"{error.message} {error.hint}".strip(), "bad")
    return redirect(_back(given), 303)


def _id(text: str) -> str:
    try:
        return known_id(text)
    except NotFound:
        return ""


def _back(given: Any) -> str:
    """The list that the person came from."""
    names = ("q", *(choice.name for choice in run_filters.choices(given)))
    kept = {name: given[name] for name in names if given.get(name)}
    return url_for("monitoring.runs", **kept)


def _tell(deed: str, outcome: bulk.Done) -> None:
    if outcome.done and deed == "cancel":
        text = ngettext(
            "%(num)s run was cancelled or asked to stop.",
            "%(num)s runs were cancelled or asked to stop.",
            outcome.done,
        )
        flash(text, "ok")
    elif outcome.done:
        flash(
            ngettext("%(num)s run is tried again.", "%(num)s runs are tried again.", outcome.done),
            "ok",
        )
    for code, count in outcome.refused.items():
        why = str(words.REFUSALS.get(code, code))
        text = ngettext(
            "Not possible with %(num)s run: %(why)s",
            "Not possible with %(num)s runs: %(why)s",
            count,
            why=why,
        )
        flash(text, "bad")
