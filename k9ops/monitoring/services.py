"""What a person asks of the engine from a page: done by the engine, then written into the audit."""

from k9ops.accounts.sessions import current_actor
from k9ops.audit.services import Target, record
from k9ops.core.db import db
from k9ops.jobs import dispatch
from k9ops.jobs.control import cancel_run, retry_run
from k9ops.jobs.models import JobRun


def start(job: str) -> JobRun:
    """Ask for a run of the job now."""
    return _noted("job.run", dispatch(job, requested_by=current_actor().name))


def start_again(run: JobRun) -> JobRun:
    """Ask for a new run with the same arguments."""
    new = dispatch(run.job, run.arguments, requested_by=current_actor().name)
    return _noted("job.run", new)


def cancel(run_id: str) -> JobRun:
    """Cancel the run, or ask it to stop."""
    return _noted("run.cancel", cancel_run(run_id, current_actor().name))


def retry(run_id: str) -> JobRun:
    """Give the run one more attempt."""
    return _noted("run.retry", retry_run(run_id, current_actor().name))


def _noted(action: str, run: JobRun) -> JobRun:
    record(db.session(), current_actor(), action, Target("run", run.id, run.job))
    db.session.commit()
    return run
