"""The dual run in words: the verdict and what speaks for and against it; and as one document."""

from dataclasses import dataclass
from typing import Any

from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.core.i18n import ngettext
from k9ops.core.settings import current_settings
from k9ops.jobs.states import Path, Reason
from k9ops.monitoring.dual_run import (
    DAYS_NEEDED,
    PER_MILLE_NEEDED,
    RUNS_NEEDED,
    Check,
    Figures,
    Group,
    Review,
    Spread,
    Trial,
    Verdict,
    checks,
    grounds,
    trial,
    verdict,
)
from k9ops.web import formats
from k9ops.web.nav import Sign
from k9ops.web.words import Word

VERDICTS: dict[str, Word] = {
    Verdict.KEEP: Word(_l("Keep the fallback for now"), "hand", "part"),
    Verdict.SWITCH_OFF: Word(_l("The fallback can be switched off"), "shield-check", "ok"),
    Verdict.TOO_FEW: Word(_l("Too few runs to judge"), "circle-dashed", "wait"),
}
#: The same of one job, as the table says it.
JOB_VERDICTS: dict[str, Word] = {
    Verdict.KEEP: Word(_l("Needs explaining"), "triangle-alert", "part"),
    Verdict.SWITCH_OFF: Word(_l("Reliable"), "circle-check", "ok"),
    Verdict.TOO_FEW: Word(_l("Too few to judge"), "circle-dashed", "wait"),
}


@dataclass(frozen=True)
class Argument:
    """One thing that speaks for or against: its sentence, and the filters of the runs it means."""

    text: str
    filters: dict[str, str]


@dataclass(frozen=True)
class Judgement:
    """The verdict with all that a reader needs to check it."""

    code: Verdict
    text: str
    because: list[str]
    speaks_for: list[Argument]
    speaks_against: list[Argument]


def judge(seen: Trial) -> Judgement:
    """The verdict on these runs, in the reader's language."""
    made = checks(seen)
    said = {check: Argument(_sentence(check, seen), _filters(check, seen)) for check in made}
    return Judgement(
        code=verdict(made),
        text=_summary(seen),
        because=[said[check].text for check in grounds(made)],
        speaks_for=[said[check] for check, holds in made.items() if holds],
        speaks_against=[said[check] for check, holds in made.items() if not holds],
    )


def _summary(seen: Trial) -> str:
    if not seen.runs:
        return _("No run has tried Celery in this time.")
    return _(
        "Of %(runs)s runs that tried Celery, %(celery)s ended on it, %(share)s; "
        "%(back)s fell back to the application.",
        runs=formats.number(seen.runs),
        celery=formats.number(seen.on_celery),
        share=share(seen.on_celery, seen.runs),
        back=formats.number(seen.fell_back),
    )


def _sentence(check: Check, seen: Trial) -> str:
    if check == Check.SHARE:
        needed = formats.percent(PER_MILLE_NEEDED / 1000, 1)
        ended = share(seen.on_celery, seen.runs)
        return _(
            "%(share)s of the runs that tried Celery ended on it; %(needed)s is needed.",
            share=ended,
            needed=needed,
        )
    if check == Check.SUCCESS:
        return _success(seen)
    return _counted(check, seen)


def _counted(check: Check, seen: Trial) -> str:
    if check == Check.DAYS:
        return ngettext(
            "Celery was tried on one day; %(needed)s are needed.",
            "Celery was tried on %(num)s days; %(needed)s are needed.",
            seen.days,
            needed=DAYS_NEEDED,
        )
    if check == Check.RUNS:
        return _(
            "Runs that tried Celery: %(runs)s; %(needed)s are needed.",
            runs=formats.number(seen.runs),
            needed=RUNS_NEEDED,
        )
    return _lost(check, seen)


def _lost(check: Check, seen: Trial) -> str:
    if check == Check.NOT_PICKED_UP:
        if not seen.not_picked_up:
            return _("Each run that was sent was taken by a worker in time.")
        return ngettext(
            "One run was sent, but no worker took it in time.",
            "%(num)s runs were sent, but no worker took them in time.",
            seen.not_picked_up,
        )
    if not seen.worker_lost:
        return _("No run lost its worker.")
    return ngettext(
        "One run lost its worker and ran here.",
        "%(num)s runs lost their worker and ran here.",
        seen.worker_lost,
    )


def _success(seen: Trial) -> str:
    (runs, good), (others, others_good) = seen.celery, seen.in_process
    if not others:
        return _(
            "Success on Celery is %(celery)s; nothing ran in process.",
            celery=share(good, runs, 2),
        )
    return _(
        "Success on Celery is %(celery)s, in process %(in_process)s.",
        celery=share(good, runs, 2),
        in_process=share(others_good, others, 2),
    )


def share(part: int, whole: int, digits: int = 1) -> str:
    """A percentage, cut and not rounded: what misses a limit must not read as if it met it."""
    scale = 10 ** (digits + 2)
    return formats.percent(part * scale // whole / scale, digits) if whole else "—"


def _filters(check: Check, seen: Trial) -> dict[str, str]:
    """Which runs to look at, where looking helps."""
    if check == Check.NOT_PICKED_UP and seen.not_picked_up:
        return {"path": Path.IN_PROCESS, "reason": Reason.NOT_PICKED_UP}
    if check == Check.WORKER_LOST and seen.worker_lost:
        return {"path": Path.IN_PROCESS, "reason": Reason.WORKER_LOST}
    if check == Check.SHARE and seen.fell_back:
        return {"path": Path.IN_PROCESS}
    if check == Check.SUCCESS and seen.celery[0] > seen.celery[1]:
        return {"path": Path.CELERY, "state": "trouble"}
    return {}


def fallback() -> Sign:
    """What the settings say of the fallback now."""
    settings = current_settings()
    if not settings.celery_on:
        return Sign("circle-minus", "off", _("Celery is switched off in the settings."))
    if settings.celery_fallback == "on":
        return Sign("circle-check", "ok", _("The fallback to the application is on."))
    return Sign("hand", "part", _("The fallback to the application is off."))


def document(found: Review) -> dict[str, Any]:
    """The review as `flask dual-run --json` prints it."""
    seen = trial(found.groups)
    judged = judge(seen)
    return {
        "from": found.first.isoformat(),
        "to": found.last.isoformat(),
        "days": [row(group, figures) for group, figures in found.groups.items()],
        "totals": _totals(found, seen),
        "verdict": {
            "code": judged.code,
            "text": f"{VERDICTS[judged.code].text}. {judged.text}",
            "because": judged.because,
        },
    }


def row(group: Group, figures: Figures) -> dict[str, Any]:
    """One line of the figures by day."""
    return {**group._asdict(), "day": group.day.isoformat(), **_figures(figures)}


def _totals(found: Review, seen: Trial) -> dict[str, Any]:
    return {
        **_figures(found.whole),
        "tried": {"runs": seen.runs, "days": seen.days, "on_celery": seen.on_celery},
        "paths": {path: _figures(figures) for path, figures in found.by_path.items()},
        "reasons": {
            reason: figures.runs for (_path, reason), figures in found.by_reason.items() if reason
        },
    }


def _figures(figures: Figures) -> dict[str, Any]:
    return {
        "runs": figures.runs,
        "succeeded": figures.succeeded,
        "success_rate": figures.success,
        "wait_ms": _spread(figures.wait),
        "duration_ms": _spread(figures.duration),
    }


def _spread(spread: Spread) -> dict[str, float | None]:
    return spread._asdict()
