"""A run told for people: one sentence first, then its facts and what happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

from k9ops.core.clock import utcnow
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.core.i18n import ngettext
from k9ops.core.settings import current_settings
from k9ops.jobs.models import JobEffect, JobEvent, JobRun
from k9ops.jobs.states import Outcome, Path, Reason, State
from k9ops.monitoring import words
from k9ops.web import formats
from k9ops.web.words import Word


@dataclass(frozen=True)
class Moment:
    """One line of the timeline."""

    at: str
    icon: str
    family: str
    title: str
    detail: str


@dataclass(frozen=True)
class Fact:
    """A label and its value, which may be markup."""

    label: str
    value: Any


def sentences(run: JobRun) -> list[str]:
    """What happened and by which path; why; what went before; what follows."""
    told = [_headline(run), _why(run), _before(run), _after(run)]
    return [sentence for sentence in told if sentence]


def _headline(run: JobRun) -> str:
    by = _by_path(run.path)
    state = State(run.state)
    if state is State.RUNNING:
        since = formats.distance(run.attempts[-1].started_at) if run.attempts else ""
        return _("Running %(by)s, since %(since)s.", by=by, since=since)
    if state in (State.SUCCEEDED, State.PARTIAL, State.FAILED):
        return _ended(state, by, run.attempts_made)
    return _not_executed(run, state)


def _by_path(path: str | None) -> str:
    return _("by Celery") if path == "celery" else _("in process")


def _ended(state: State, by: str, attempts: int) -> str:
    if attempts > 1:
        texts = {
            State.SUCCEEDED: _("Succeeded on attempt %(n)s, %(by)s.", n=attempts, by=by),
            State.PARTIAL: _("Partly succeeded on attempt %(n)s, %(by)s.", n=attempts, by=by),
            State.FAILED: _("Failed, the last time on attempt %(n)s, %(by)s.", n=attempts, by=by),
        }
    else:
        texts = {
            State.SUCCEEDED: _("Succeeded at once, %(by)s.", by=by),
            State.PARTIAL: _("Partly succeeded, %(by)s.", by=by),
            State.FAILED: _("Failed, %(by)s.", by=by),
        }
    return texts[state]


def _not_executed(run: JobRun, state: State) -> str:
    if state is State.MISSED:
        return missed_words(run.result) or _("Its time passed and policy did not run it.")
    if state is State.SKIPPED:
        return _("Skipped, because the occurrence before was still active.")
    if state is State.CANCELLED:
        return _("Cancelled.") if run.attempts_made else _("Cancelled before it ran.")
    return _waiting(run)


def _waiting(run: JobRun) -> str:
    if run.path == Path.CELERY and run.placed:
        if current_settings().celery_on:
            return _("Waiting for a Celery worker.")
        return _("Waiting for Celery, which is switched off in the settings.")
    if run.retry_at is not None:
        return _("Waiting for its next attempt, %(when)s.", when=formats.distance(run.retry_at))
    return _("Waiting for somebody to take it.")


def missed_words(gap: Any) -> str:
    """How many due times a missed row's result stands for, and from when to when."""
    if not isinstance(gap, dict) or not {"count", "first_due", "last_due"} <= gap.keys():
        return ""
    first, last = (
        formats.plain(datetime.fromisoformat(gap[name])) for name in ("first_due", "last_due")
    )
    return ngettext(
        "Missed once, at %(first)s.",
        "Missed %(num)s times, from %(first)s to %(last)s.",
        int(gap["count"]),
        first=first,
        last=last,
    )


def _why(run: JobRun) -> str:
    executed = run.state not in (State.SKIPPED, State.MISSED)
    return str(words.REASON_SENTENCES.get(run.reason or "", "")) if executed else ""


def _before(run: JobRun) -> str:
    """What became of the attempts before the last one."""
    lost = sum(attempt.outcome == Outcome.LOST for attempt in run.attempts)
    given_back = sum(attempt.outcome == Outcome.INTERRUPTED for attempt in run.attempts)
    told = []
    if lost and not (lost == 1 and run.reason == Reason.WORKER_LOST):
        told.append(ngettext("One attempt was lost.", "%(num)s attempts were lost.", lost))
    if given_back:
        told.append(
            ngettext(
                "One attempt was given back at shutdown and does not count as a try.",
                "%(num)s attempts were given back at shutdown and do not count as tries.",
                given_back,
            )
        )
    return " ".join(told)


def _after(run: JobRun) -> str:
    if run.cancel_requested and run.state == State.RUNNING:
        return _("It was asked to stop and will do so at its next check.")
    code = words.CODES.get(run.error_code or "")
    return f"{code}." if code and run.state == State.FAILED else ""


def facts(run: JobRun) -> list[Fact]:
    """The strip under the sentence."""
    due = run.due_at or run.queued_at
    return [
        Fact(_("Due") if run.due_at else _("Asked for"), formats.when(due, seconds=True)),
        Fact(_("Waited"), _waited(run)),
        Fact(_("So far") if run.state == State.RUNNING else _("Took"), _took(run)),
        Fact(_("Last path"), run.path),
        Fact(_("Reason"), words.REASONS.get(run.reason or "", "—")),
        Fact(_("Asked by"), Markup("<bdi>{}</bdi>").format(words.asked_by(run))),
    ]


def _waited(run: JobRun) -> str:
    if run.started_at is None and run.state != State.QUEUED:
        return "—"
    return formats.duration(((run.started_at or utcnow()) - run.queued_at).total_seconds())


def _took(run: JobRun) -> str:
    if run.started_at is None:
        return "—"
    return formats.duration(((run.finished_at or utcnow()) - run.started_at).total_seconds())


def timeline(events: Sequence[JobEvent]) -> list[Moment]:
    """The events in words, oldest first."""
    return [_moment(event) for event in events]


def _moment(event: JobEvent) -> Moment:
    word = words.event_sign(event)
    return Moment(
        at=formats.clock(event.at, fraction=True),
        icon=word.icon,
        family=word.family,
        title=words.event_title(event),
        detail=" · ".join(_details(event)),
    )


def _details(event: JobEvent) -> list[str]:
    detail = event.detail or {}
    told = []
    if event.actor:
        told.append(words.executor(event.actor))
    if reason := words.REASONS.get(detail.get("reason") or ""):
        told.append(f"{words.PATHS['in_process']}: {reason}")
    if message := detail.get("message"):
        told.append(formats.isolated(str(message).partition("\n")[0][:300]))
    if retry_at := detail.get("retry_at"):
        at = formats.plain(datetime.fromisoformat(retry_at), seconds=True)
        told.append(_("next attempt %(at)s", at=at))
    return told


@dataclass(frozen=True)
class EffectTold:
    """An effect outside the database, and of its receipt what may be shown."""

    key: str
    sign: Word
    at: datetime
    receipt: list[tuple[str, str]]


_SIGNS = {
    True: Word(_l("Done"), "circle-check", "ok"),
    False: Word(_l("Not known whether it happened"), "circle-dashed", "wait"),
}
#: A part of a receipt that bears such a word in its name may open a door; it is not shown.
_SECRET = ("session", "secret", "token", "password", "key", "url", "credential")


def effects(found: Sequence[JobEffect]) -> list[EffectTold]:
    """The effects; what an unfinished one keeps for its next attempt is nobody's to see."""
    return [
        EffectTold(
            key=one.key,
            sign=_SIGNS[one.done_at is not None],
            at=one.done_at or one.reserved_at,
            receipt=_shown(one.receipt) if one.done_at is not None else [],
        )
        for one in found
    ]


def _shown(receipt: Any) -> list[tuple[str, str]]:
    parts = receipt.items() if isinstance(receipt, dict) else [(_("Receipt"), receipt)]
    return [
        (str(name), str(value)[:200])
        for name, value in parts
        if not any(word in str(name).lower() for word in _SECRET)
        and isinstance(value, str | int | float | bool)
    ]
