"""A restore's journal as people read it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from k9ops.backups import journal, words
from k9ops.core.i18n import gettext as _
from k9ops.web import formats
from k9ops.web.nav import Sign


@dataclass(frozen=True)
class Step:
    """One of the steps of a restore."""

    title: str
    #: `done`, `now`, `stopped` or `next`.
    state: str
    #: How long it took, or how far it is.
    detail: str
    done: float = 0
    total: float | None = None


@dataclass(frozen=True)
class Story:
    """All that the page tells."""

    sign: Sign
    text: str
    file: str
    by: str
    reason: str
    started_at: datetime
    finished_at: datetime | None
    steps: list[Step]
    is_running: bool
    run_id: str
    safety_backup: str


def story_of(document: dict[str, Any], is_running: bool) -> Story:
    """The story that the journal tells."""
    result: dict[str, Any] = document.get("result") or {}
    finished_at = document.get("finished_at")
    steps = document["steps"]
    safety = next((one["safety_backup"] for one in steps if one.get("safety_backup")), "")
    return Story(
        sign=_sign(document, is_running),
        text=_text(document, is_running),
        file=str(document["file"]),
        by=str(document.get("by", "")),
        reason=str(document.get("reason", "")),
        started_at=datetime.fromisoformat(document["started_at"]),
        finished_at=datetime.fromisoformat(finished_at) if finished_at else None,
        steps=_steps(document, is_running),
        is_running=is_running,
        run_id=str(result.get("run_id", "")),
        safety_backup=safety,
    )


def titles() -> dict[str, str]:
    """The steps in their order."""
    return {
        "verify": _("The backup is decoded to its end and compared with its manifest"),
        "prepare": _("A safety backup of the present data is made"),
        "replace": _("The data is replaced in one step"),
        "upgrade": _("The tables are brought up to date"),
        "record": _("The restore is noted, and people are told"),
    }


def _sign(document: dict[str, Any], is_running: bool) -> Sign:
    outcome = document["outcome"]
    if is_running:
        return Sign("loader-circle", "run", _("The backup is being restored"))
    if outcome == "restored":
        return Sign("circle-check", "ok", _("The backup is restored"))
    if outcome is None:
        return Sign("unplug", "bad", _("The restore was ended before it was done"))
    if outcome == "refused":
        return Sign("shield-x", "bad", _("The backup was refused"))
    return Sign("circle-x", "bad", _("The restore failed"))


def _text(document: dict[str, Any], is_running: bool) -> str:
    outcome = document["outcome"]
    if is_running:
        return _("You may leave this page: it goes on by itself, also when the server stops.")
    if outcome == "restored":
        return _(
            "All data is that of the backup now. Who may sign in, and with which password, is so"
            " too, so you may have to sign in again."
        )
    if outcome is None:
        return _died([step["step"] for step in document["steps"]])
    why = words.refusal(document.get("code", ""), document["message"])
    if document.get("code") == "not_upgraded":
        return f"{why} " + _("Run `flask db upgrade` on the machine.")
    return f"{why} " + _("The live data is as it was.")


def _died(steps: list[str]) -> str:
    if "record" in steps or "upgrade" in steps or "replaced" in steps:
        return _(
            "Its process was killed after the data had been replaced. Restore again, so that"
            " everything is brought to its end."
        )
    if "replace" in steps:
        return _(
            "Its process was killed while the data was being replaced: it is wholly as before or"
            " wholly that of the backup, never half. Look at it, then restore again if need be."
        )
    return _("Its process was killed before anything was replaced. The live data is as it was.")


def _steps(document: dict[str, Any], is_running: bool) -> list[Step]:
    begun = {step["step"]: step for step in document["steps"]}
    took = journal.durations(document)
    names = [name for name in titles() if name != "upgrade" or name in begun]
    last = document["steps"][-1]["step"] if document["steps"] else ""
    ended = document["outcome"] is not None or not is_running
    found = []
    for name in names:
        step = begun.get(name)
        if step is None:
            found.append(Step(titles()[name], "next", ""))
        elif name == last and document["outcome"] != "restored":
            found.append(_present(name, step, "stopped" if ended else "now"))
        else:
            seconds = took.get(name)
            word = formats.duration(seconds) if seconds is not None else ""
            found.append(Step(titles()[name], "done", word))
    return found


def _present(name: str, step: dict[str, Any], state: str) -> Step:
    done, total = step.get("done"), step.get("total")
    if state != "now" or done is None:
        return Step(titles()[name], state, "")
    return Step(titles()[name], state, words.how_far(done, total), done, total)
