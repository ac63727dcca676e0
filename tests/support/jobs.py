"""Jobs for tests, loaded through JOBS_EXTRA_MODULES=tests.support.jobs."""

import json
import os
import signal
import time
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import text

from k9ops.core.db import db
from k9ops.jobs import Partial, PermanentError, Retry, Stopped, current_run, job
from k9ops.notifications.models import Notification


def write(journal: str, what: str) -> None:
    """One line in one system call, so that lines of many processes never mix."""
    if journal:
        run = current_run()
        line = {"what": what, "run": run.id, "attempt": run.attempt, "at": time.time()}
        descriptor = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.write(descriptor, (json.dumps(line) + "\n").encode())
        os.close(descriptor)


def read(journal: Path) -> list[dict[str, object]]:
    if not journal.exists():
        return []
    return [json.loads(line) for line in journal.read_text().splitlines()]


@job("test.sleep", title="Sleep")
def sleep(seconds: float = 0, journal: str = "", heed: bool = True) -> dict[str, float]:
    """Write the start, wait, write the end."""
    write(journal, "start")
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        if heed:
            current_run().check()
        time.sleep(0.02)
    write(journal, "end")
    return {"slept": seconds}


@job("test.effect", title="Effect")
def effect(journal: str = "", seconds: float = 0) -> dict[str, str]:
    """One effect outside the database, guarded by its key."""
    write(journal, "start")
    with current_run().effect("line") as reserved:
        if reserved.state == "new" or (reserved.state == "unknown" and not _written(journal)):
            write(journal, "effect")
        reserved.receipt = {"line": True}
    time.sleep(seconds)
    return {"state": reserved.state}


def _written(journal: str) -> bool:
    run = current_run().id
    return any(line["run"] == run and line["what"] == "effect" for line in read(Path(journal)))


@job("test.fail", title="Fail", retry=Retry(attempts=2, delay_seconds=0.2))
def fail(text: str = "no luck", repeat: int = 1, seconds: float = 0) -> None:
    time.sleep(seconds)
    raise ValueError(text * repeat)


@job("test.permanent", title="Permanent")
def permanent(code: str = "never") -> None:
    raise PermanentError("this will never work", code=code)


@job("test.disconnected", title="Disconnected")
def disconnected() -> None:
    """Fail while the server has ended the session's connection."""
    pid = db.session.scalar(text("SELECT pg_backend_pid()"))
    with db.engine.begin() as other:
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    raise ValueError("no luck")


@job("test.partial", title="Partial")
def partial() -> Partial:
    return Partial({"done": 1}, "one of two")


@job("test.bad_result", title="Bad result")
def bad_result() -> object:
    return object()


@job("test.write", title="Write")
def write_rows(user: int, rows: int = 1, pause: float = 0) -> dict[str, int]:
    """Write rows through the session, each in a transaction of its own."""
    for number in range(rows):
        db.session.add(Notification(user_id=user, kind="test", params={"number": number}))
        db.session.commit()
        time.sleep(pause)
    return {"rows": rows}


@job("test.atomic", title="Atomic", atomic=True)
def atomic(
    user: int, fail: bool = False, commit: bool = False, seconds: float = 0
) -> dict[str, bool]:
    """A write that stands or falls with the end of the run."""
    current_run().log("inside")
    time.sleep(seconds)
    db.session.add(Notification(user_id=user, kind="test", params={}))
    if commit:
        db.session.commit()
    if fail:
        raise ValueError("after the write")
    return {"ok": True}


@job("test.words", title="Words")
def words(seconds: float = 0) -> None:
    """A line in the log, and the end a while after it."""
    current_run().log("inside")
    time.sleep(seconds)


@job("test.child", title="Child", isolation="process")
def child(
    seconds: float = 0, heed: bool = True, kill_self: bool = False, note: str = ""
) -> dict[str, int]:
    """Work in a process of its own; `note` makes its order long."""
    if kill_self:
        os.kill(os.getpid(), signal.SIGKILL)
    sleep.function(seconds, heed=heed)
    return {"pid": os.getpid()}


@job("test.child_limits", title="Limits of a child", isolation="process", timeout_seconds=8)
def child_limits(seconds: float) -> None:
    """Heed nothing."""
    sleep.function(seconds, heed=False)


@job("test.limits", title="Limits", timeout_seconds=2, soft_timeout_seconds=0.5)
def limits(seconds: float, heed: bool = True, swallow: bool = False) -> str:
    """Run past the soft limit, and past the hard one when it does not heed."""
    try:
        sleep.function(seconds, heed=heed)
    except Stopped:
        if not swallow:
            raise
    return "ended by itself"


@job("test.progress", title="Progress")
def progress(steps: int = 3) -> int:
    for step in range(1, steps + 1):
        current_run().progress(step, steps, f"step {step}")
    current_run().log("all steps done")
    return steps


@job("test.print", title="Print")
def print_text() -> None:
    """Print by Python and past it, as a program that the job starts does."""
    print("printed")
    os.write(1, b"written\n")


@job("test.endless", title="Endless")
def endless() -> None:
    """Tell a progress that no JSON can write."""
    current_run().progress(float("nan"), float("inf"), "for ever")


def _nothing() -> None:
    """Cost nothing but the way here."""


for _priority in range(10):
    job(f"test.priority_{_priority}", title="Nothing", priority=_priority)(_nothing)


@job(
    "test.typed",
    title="Typed",
    arguments={"day": "The day", "count": "How many", "kind": "Which", "extra": "More"},
)
def typed(
    day: date,
    count: Annotated[int, Field(ge=1, le=9)] = 3,
    kind: Literal["small", "large"] = "small",
    share: float | None = None,
    loud: bool = True,
    extra: dict[str, Any] = {},  # noqa: B006  (the engine copies it)
) -> dict[str, Any]:
    """Tell what it was given."""
    given = {"count": count, "kind": kind, "share": share, "loud": loud, "extra": extra}
    return {"day": f"{day:%d.%m.%Y}", **given}


@job("test.ticking", title="Ticking")
def ticking(seconds: float = 2) -> None:
    """Log a line and tell a progress ten times a second."""
    steps = round(seconds * 10)
    for step in range(1, steps + 1):
        current_run().progress(step, steps, "ticks")
        current_run().log(f"tick {step}")
        time.sleep(0.1)
