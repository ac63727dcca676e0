"""What the engine tells the rest of the house; it knows no listener."""

from blinker import Namespace

_signals = Namespace()

#: A run came to an end state. Sender: the job's name; `session` (inside the transaction that
#: ends the run: write through it, never commit it) and `run` (JobRun of that session).
run_finished = _signals.signal("run_finished")
#: A periodic task was made or changed. Sender: the task's name; `session`, `task`, `actor`.
task_changed = _signals.signal("task_changed")
