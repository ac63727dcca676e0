"""The engine's words for people: each state, path, reason and event with its sign and family."""

from typing import Any

from k9ops.core.clock import utcnow
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.core.i18n import ngettext
from k9ops.jobs.models import JobAttempt, JobEvent, JobRun, PeriodicTask
from k9ops.jobs.registry import catalogue
from k9ops.jobs.states import Outcome
from k9ops.monitoring.workers import Celery
from k9ops.web import formats
from k9ops.web.words import Word

STATES: dict[str, Word] = {
    "queued": Word(_l("Queued"), "hourglass", "wait"),
    "running": Word(_l("Running"), "loader-circle", "run"),
    "succeeded": Word(_l("Succeeded"), "circle-check", "ok"),
    "partial": Word(_l("Partial"), "half", "part", loud=True),
    "failed": Word(_l("Failed"), "circle-x", "bad", loud=True),
    "cancelled": Word(_l("Cancelled"), "ban", "off"),
    "skipped": Word(_l("Skipped"), "circle-minus", "off"),
    "missed": Word(_l("Missed"), "calendar-x-2", "miss", loud=True),
}

OUTCOMES: dict[str, Word] = {
    **{name: STATES[name] for name in ("succeeded", "partial", "failed", "cancelled", "running")},
    "lost": Word(_l("Lost"), "unplug", "bad", loud=True),
    "timed_out": Word(_l("Timed out"), "timer-off", "bad", loud=True),
    "interrupted": Word(_l("Given back at shutdown"), "power", "off"),
}

HEALTH: dict[str, Word] = {
    "failing": Word(_l("Failing"), "circle-x", "bad", loud=True),
    "late": Word(_l("Late"), "clock-alert", "part", loud=True),
    "paused": Word(_l("Paused"), "circle-pause", "off", loud=True),
    "on_time": Word(_l("On time"), "circle-check", "ok"),
    "never_ran": Word(_l("Never ran"), "circle-dashed", "wait"),
}

PATHS: dict[str, Any] = {"celery": _l("Celery"), "in_process": _l("In process")}

REASONS: dict[str, Any] = {
    "celery_off": _l("Celery switched off"),
    "broker_unreachable": _l("Broker unreachable"),
    "broker_timeout": _l("Broker did not answer"),
    "broker_refused": _l("Broker refused"),
    "breaker_open": _l("Breaker open"),
    "no_worker": _l("No live worker"),
    "not_picked_up": _l("Not picked up"),
    "worker_lost": _l("Worker lost"),
    "requested": _l("Requested here"),
}

REASON_SENTENCES: dict[str, Any] = {
    "celery_off": _l("Celery is switched off in the settings."),
    "broker_unreachable": _l("The broker could not be reached."),
    "broker_timeout": _l("The broker did not answer in time."),
    "broker_refused": _l("The broker refused (full, read-only, loading, password)."),
    "breaker_open": _l("The broker failed a moment ago, so it was not asked."),
    "no_worker": _l("No live worker listens to this queue."),
    "not_picked_up": _l("It was sent, but no worker took it in time."),
    "worker_lost": _l("The attempt on Celery was lost, so this one ran here."),
    "requested": _l("A person or a command asked to run it here."),
}

CODES: dict[str, Any] = {
    "gave_up": _l("Gave up: it killed its process three times"),
    "restored": _l("Ended by a restore"),
    "timed_out": _l("It ran past its time limit"),
}

EVENTS: dict[str, Word] = {
    "recorded": Word(_l("Recorded"), "calendar-check", "wait"),
    "skipped": Word(_l("Skipped: the one before was still active"), "circle-minus", "off"),
    "missed": Word(_l("Missed"), "calendar-x-2", "miss"),
    "claimed": Word(_l("Attempt %(number)s began"), "play", "run"),
    "finished": Word(_l("The run ended"), "circle-check", "ok"),
    "retry_planned": Word(_l("Attempt %(number)s failed; it is tried again"), "rotate-ccw", "part"),
    "lost": Word(_l("Attempt %(number)s was lost"), "unplug", "bad"),
    "interrupted": Word(_l("Attempt %(number)s was given back at shutdown"), "power", "off"),
    "cancelled": Word(_l("Cancelled"), "ban", "off"),
    "cancel_requested": Word(_l("Asked to cancel"), "hand", "off"),
    "retry_requested": Word(_l("Asked for one more attempt"), "rotate-ccw", "wait"),
    "restored": Word(_l("Ended by a restore"), "archive-restore", "bad"),
    "sent_again": Word(_l("Sent to Celery again"), "send", "wait"),
    "fell_back": Word(_l("Not taken by Celery: runs here"), "undo-2", "part"),
}

#: What the engine refuses, in the reader's language.
REFUSALS: dict[str, Any] = {
    "run_ended": _l("The run has ended already; nothing is left to cancel."),
    "not_retryable": _l("Only failed, partial and cancelled runs are tried again."),
    "overlap": _l("A run of the same task is active, and the task allows one at a time."),
    "no_task": _l("This job has no schedule."),
    "no_run": _l("There is no such run."),
    "unknown_job": _l("There is no such job."),
}

#: Why Celery takes no run, with the fallback on and off.
ENGINE: dict[tuple[str, bool], Any] = {
    ("silent", True): _l("The broker does not answer: jobs run in process"),
    ("silent", False): _l("The broker does not answer: jobs wait"),
    ("breaker_open", True): _l("The breaker is open: jobs run in process"),
    ("breaker_open", False): _l("The breaker is open: jobs wait"),
    ("no_worker", True): _l("Celery up · no worker: jobs run in process"),
    ("no_worker", False): _l("Celery up · no worker: jobs wait"),
}

#: Whether a worker listens to a queue.
SERVED: dict[bool, Word] = {
    True: Word(_l("Worker live"), "circle-check", "ok"),
    False: Word(_l("No live worker"), "unplug", "part", loud=True),
}

HOSTS: dict[str, Any] = {
    "web": _l("The application %(host)s, process %(pid)s"),
    "scheduler": _l("The scheduler %(host)s, process %(pid)s"),
    "cli": _l("A command on %(host)s, process %(pid)s"),
    "worker": _l("The worker %(host)s, process %(pid)s"),
    "child": _l("A child process on %(host)s, process %(pid)s"),
}

#: Log levels that are tinted, and their short forms.
LEVELS: dict[str, str] = {"WARNING": "part", "ERROR": "bad", "CRITICAL": "bad"}
SHORT_LEVELS: dict[str, str] = {"WARNING": "WARN", "CRITICAL": "CRIT"}


#: Who asks and acts without a name of their own.
ACTORS = {"schedule": _l("Schedule"), "command line": _l("Command line")}


def executor(name: str) -> str:
    """`web:host:212` in words, and so who acts without a name; a person's name as it is."""
    if name in ACTORS:
        return str(ACTORS[name])
    kind, _colon, rest = name.partition(":")
    host, _colon, pid = rest.rpartition(":")
    words = HOSTS.get(kind)
    return str(words) % {"host": host, "pid": pid} if words and host else name


def engine(celery: Celery) -> Word:
    """Who does the background work, in one line."""
    if celery.silence:
        trouble = "silent"
    elif celery.trouble:
        trouble = "breaker_open"
    elif not celery.workers:
        trouble = "no_worker"
    else:
        live = ngettext(
            "Celery up · %(num)s worker", "Celery up · %(num)s workers", len(celery.workers)
        )
        return Word(live, "circle-check", "ok")
    text = ENGINE[trouble, celery.fallback]
    return Word(text, "half", "part") if celery.fallback else Word(text, "hourglass", "bad")


def asked_by(run: JobRun) -> str:
    """Who asked for the run: its schedule, a person, a command, or the application itself."""
    if run.occurrence.startswith("sched:"):
        return _("Schedule")
    return executor(run.requested_by) if run.requested_by else _("The application")


def task_title(name: str, task: PeriodicTask | None) -> str:
    """The title of a task: its job's, with its own name where that is another."""
    job = catalogue().get(task.job if task else name)
    if job is None:
        return name
    return str(job.title) if task is None or task.name == task.job else f"{job.title} · {name}"


def pauser(name: str | None) -> str:
    """Who paused a task."""
    return _("the settings") if name in (None, "settings") else name


def summary(run: JobRun) -> str:
    """The one line under a run's name: what went wrong, or what it told."""
    if run.state == "skipped":
        return _("The one before was still active")
    text = run.text or run.error_message if run.state != "succeeded" else run.text
    first_line = (text or "").strip().partition("\n")[0][:300]
    return str(CODES.get(run.error_code or "") or first_line)


def progress(attempt: JobAttempt) -> str:
    """How far an attempt is, in words and figures."""
    done, total = attempt.progress_done or 0, attempt.progress_total
    text = formats.isolated(attempt.progress_text or _("Done"))
    if not total:
        return f"{text}: {formats.number(done)}"
    figures = {"done": formats.number(done), "total": formats.number(total)}
    share = min(done / total, 1)
    how_far = f"{text}: {formats.percent(share)} · " + _("%(done)s of %(total)s", **figures)
    return f"{how_far} · {left}" if (left := _left(attempt, share)) else how_far


def _left(attempt: JobAttempt, share: float) -> str:
    """How long the rest takes at the pace so far; nothing while that is a guess."""
    passed = (utcnow() - attempt.started_at).total_seconds()
    if passed < 5 or not 0.05 <= share < 1:
        return ""
    return _("about %(span)s left", span=formats.rough(passed * (1 - share) / share))


def spent(attempt: JobAttempt) -> str:
    """How long an attempt took; of a lost one, how long nobody noticed."""
    end = attempt.finished_at or utcnow()
    if attempt.outcome == Outcome.LOST:
        silence = (end - attempt.heartbeat_at).total_seconds()
        return _("noticed after %(span)s", span=formats.rough(silence))
    return formats.duration((end - attempt.started_at).total_seconds())


def trigger(task: PeriodicTask) -> str:
    """When a task is due, in words; a crontab that has no words as it is written."""
    if task.every_seconds is not None:
        return _("every %(span)s", span=formats.span(task.every_seconds))
    return _crontab(str(task.cron))


def _crontab(cron: str) -> str:
    minute, hour, *rest = cron.split()
    if not (minute.isdecimal() and (hour.isdecimal() or hour == "*")):
        return cron
    if hour == "*" and rest == ["*", "*", "*"]:
        return _("hourly")
    day, month, weekday = rest
    if (day, month, weekday) == ("*", "*", "*"):
        return _("daily")
    if (day, month) == ("*", "*") and weekday in "0123456":
        return _("weekly")
    return _("monthly") if day.isdecimal() and (month, weekday) == ("*", "*") else cron


def event_title(event: JobEvent) -> str:
    """What happened, as the timeline's line says it."""
    if event.kind == "finished":
        return f"{_('The run ended')}: {STATES[event.to_state].text}"
    word = EVENTS.get(event.kind)
    return str(word.text) % {"number": event.attempt or 0} if word else event.kind


def event_sign(event: JobEvent) -> Word:
    """The sign of what happened; an end has that of its state."""
    if event.kind == "finished":
        return STATES[event.to_state]
    return EVENTS.get(event.kind, EVENTS["recorded"])
