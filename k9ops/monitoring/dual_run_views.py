"""The page of the dual run: is Celery reliable enough to do without the fallback?"""

import csv
import io
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from k9ops.core.i18n import lazy_gettext as _l
from k9ops.jobs.registry import catalogue
from k9ops.jobs.states import Path
from k9ops.monitoring import dual_run_charts as charts
from k9ops.monitoring import dual_run_words as words
from k9ops.monitoring.dual_run import LOST, Review, by_job, review, trial
from k9ops.monitoring.dual_run_kept import recent_review
from k9ops.web.security import requires

bp = Blueprint("dual_run", __name__, template_folder="templates")

PERIODS: dict[int, Any] = {7: _l("last 7 days"), 30: _l("last 30 days"), 90: _l("last 90 days")}
DEFAULT_DAYS = 30


@bp.get("/dual-run")
@requires("runs.view")
def page() -> str:
    """The verdict, what it rests on, and the figures by day, reason, path and job."""
    days, job = _chosen()
    found = recent_review(days, job)
    if found is None:
        return render_template("monitoring/dual_run_counting.html", days=days, job=job)
    seen = trial(found.groups)
    judged = words.judge(seen)
    return render_template(
        "monitoring/dual_run.html",
        days=days,
        job=job,
        periods=PERIODS,
        jobs={name: known.title for name, known in catalogue().items()},
        found=found,
        seen=seen,
        judged=judged,
        sign=words.VERDICTS[judged.code],
        job_signs=words.JOB_VERDICTS,
        fallback=words.fallback(),
        share=words.share,
        chart=charts.day_chart(found),
        reasons=charts.reason_bars(found),
        lost=LOST,
        lines=by_job(found.groups),
        paths=tuple(Path),
        day_name=charts.day_name,
    )


@bp.get("/dual-run/live")
@requires("runs.view")
def counting() -> ResponseReturnValue:
    """What stands there while the runs are counted; the way to the page once they are."""
    days, job = _chosen()
    if recent_review(days, job) is not None:
        return redirect(url_for(".page", days=days, job=job or None), 303)
    return render_template("monitoring/_counting.html", days=days, job=job)


@bp.get("/dual-run.csv")
@requires("runs.view")
def figures() -> Response:
    """The figures by day, job, path and reason, for a spreadsheet."""
    days, job = _chosen()
    found = recent_review(days, job) or review(days, job)
    name = f"dual-run-{found.first}-{found.last}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(_csv(found), mimetype="text/csv", headers=headers)


def _chosen() -> tuple[int, str]:
    """Days and job of the address; what is unknown counts as not set."""
    days, job = request.args.get("days", type=int), request.args.get("job", "")
    return days if days in PERIODS else DEFAULT_DAYS, job if job in catalogue() else ""


def _csv(found: Review) -> str:
    text = io.StringIO()
    rows = [_flat(words.row(group, figures)) for group, figures in found.groups.items()]
    if rows:
        writer = csv.DictWriter(text, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue()


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row.items():
        nested = isinstance(value, dict)
        flat |= (
            {f"{name}_{key}": inner for key, inner in value.items()} if nested else {name: value}
        )
    return flat
