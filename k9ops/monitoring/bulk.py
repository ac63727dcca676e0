"""Cancel or retry many runs: chosen ones, or all that a filter matches; each in its own moment."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, select

from k9ops.audit.services import Actor, Target, record
from k9ops.core.db import db
from k9ops.core.errors import Conflict, NotFound
from k9ops.jobs import control
from k9ops.jobs.models import JobRun
from k9ops.jobs.queries import RunFilter, filtered
from k9ops.jobs.states import ACTIVE, RETRYABLE, State

Deed = Literal["cancel", "retry"]
#: From which states each is possible.
POSSIBLE: dict[str, tuple[State, ...]] = {"cancel": ACTIVE, "retry": RETRYABLE}
_ACTIONS = {"cancel": "run.cancelled", "retry": "run.retried"}
_AT_ONCE = 200


@dataclass(frozen=True)
class Which:
    """The runs meant: those of these ids, or all up to `until` that the filter matches."""

    ids: tuple[str, ...] = ()
    wanted: RunFilter | None = None
    until: str = ""

    def narrow(self, statement: Any) -> Any:
        if self.wanted is None:
            return statement.where(JobRun.id.in_(self.ids))
        return filtered(statement, self.wanted).where(JobRun.id <= self.until)


def newest_id() -> str:
    """Id of the newest run: what comes later is not meant. Empty while there is none."""
    return db.session.scalar(select(JobRun.id).order_by(JobRun.id.desc()).limit(1)) or ""


def count_by_state(which: Which) -> dict[str, int]:
    """How many runs are meant, by state."""
    query = which.narrow(select(JobRun.state, func.count())).group_by(JobRun.state)
    return {str(state): count for state, count in db.session.execute(query)}


def possible(deed: str, counts: dict[str, int]) -> int:
    """Of so many runs by state, with how many it can be done."""
    return sum(counts.get(state, 0) for state in POSSIBLE[deed])


@dataclass
class Done:
    """What came of it: with how many it was done, and why with others it was not."""

    done: int
    refused: Counter[str]


def do(
    deed: str, ids: Iterable[str], actor: Actor, tell: Callable[[int], None] = lambda _n: None
) -> Done:
    """Do it with each run, in a transaction of its own; `tell` hears how many were tried."""
    change = control.cancel_run if deed == "cancel" else control.retry_run
    outcome = Done(0, Counter())
    for number, run_id in enumerate(ids, 1):
        try:
            run = change(run_id, actor.name)
        except (Conflict, NotFound) as error:
            outcome.refused[error.code] += 1
        else:
            outcome.done += 1
            record(
                db.session(), actor, _ACTIONS[deed], Target("run", run.id, run.job), {"many": True}
            )
            db.session.commit()
        tell(number)
    return outcome


def ids_of(deed: str, which: Which) -> Iterator[str]:
    """Ids of the runs with which it can be done, newest first, a few hundred at a time."""
    last = None
    while True:
        query = which.narrow(select(JobRun.id)).where(JobRun.state.in_(POSSIBLE[deed]))
        if last is not None:
            query = query.where(JobRun.id < last)
        some = list(db.session.scalars(query.order_by(JobRun.id.desc()).limit(_AT_ONCE)))
        db.session.rollback()
        yield from some
        if len(some) < _AT_ONCE:
            return
        last = some[-1]


def as_json(wanted: RunFilter) -> dict[str, Any]:
    """The filter as an argument of a job."""
    plain = {name: value for name, value in asdict(wanted).items() if value}
    times = {name: plain[name].isoformat() for name in ("since", "until") if name in plain}
    return plain | times


def from_json(given: dict[str, Any]) -> RunFilter:
    """The filter that `as_json` wrote."""
    times = {
        name: datetime.fromisoformat(given[name]) for name in ("since", "until") if name in given
    }
    return RunFilter(**given | times | {"states": tuple(given.get("states", ()))})
