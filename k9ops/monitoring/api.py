"""The API for programs: start a job, look at a run; and what watchers of the system ask."""

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from k9ops.jobs.queries import get_run, run_document
from k9ops.monitoring import services
from k9ops.monitoring.health import readiness
from k9ops.monitoring.schemas import read_run_request
from k9ops.web.security import public, requires

bp = Blueprint("api", __name__, url_prefix="/api/v1")
health_bp = Blueprint("health", __name__)


@bp.post("/jobs/<name>/run")
@requires("jobs.run")
def run_job(name: str) -> ResponseReturnValue:
    """Start a job: 202 with the new run, 200 with the one that this Idempotency-Key started."""
    asked = read_run_request(request.get_data())
    key = request.headers.get("Idempotency-Key")
    run, is_new = services.start_once(name, asked.arguments, key=key, via=asked.via)
    location = url_for("api.show_run", run_id=run.id)
    return _document(run.id), 202 if is_new else 200, {"Location": location}


@bp.get("/runs/<run_id>")
@requires("runs.view")
def show_run(run_id: str) -> ResponseReturnValue:
    return _document(run_id)


@bp.after_request
def ask_for_token(response: Response) -> Response:
    """Tell programs how to sign in, as HTTP wants it with every 401."""
    if response.status_code == 401:
        bad = ', error="invalid_token"' if "Authorization" in request.headers else ""
        response.headers["WWW-Authenticate"] = f'Bearer realm="K9 Ops"{bad}'
    return response


@health_bp.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    """The process answers; asks nothing of anybody else."""
    return jsonify(status="ok")


@health_bp.get("/readyz")
@public
def readyz() -> ResponseReturnValue:
    """Whether it can work: 503 only without the database."""
    report = readiness()
    return jsonify(report), 503 if report["status"] == "down" else 200


def _document(run_id: str) -> Response:
    return jsonify(run_document(get_run(run_id)))
