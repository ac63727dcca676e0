"""What the engine tells the rest of the house; it knows no listener."""

from collections.abc import Iterator
from contextlib import contextmanager

from blinker import Namespace
from sqlalchemy import Connection
from sqlalchemy.orm import Session

_signals = Namespace()

#: A run came to an end state. Sender: the job's name; `run` (its row) and `connection` (inside the
#: transaction that ends the run: write through `beside`, never commit it).
run_finished = _signals.signal("run_finished")
#: The same of a run that ended other than succeeded. While nobody listens to the other signal, a
#: success is one statement, with no transaction round it.
run_fell_short = _signals.signal("run_fell_short")
#: A person changed a periodic task. Sender: the task's name; `session` (inside the transaction that
#: changes it: never commit it), `task`, `actor`, `kind` (an `Edit`) and its terms `before`.
task_changed = _signals.signal("task_changed")


def is_heard(job: str) -> bool:
    """Whether somebody listens to every end of the job's runs."""
    return any(True for _ in run_finished.receivers_for(job))


@contextmanager
def beside(connection: Connection) -> Iterator[Session]:
    """A session inside the transaction of `connection`; an error undoes what it wrote, no more."""
    with Session(bind=connection, join_transaction_mode="create_savepoint") as session:
        yield session
        session.commit()
