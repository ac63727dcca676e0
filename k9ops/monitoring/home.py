"""What the home page tells a person: as much as they may see."""

from datetime import timedelta
from typing import Any

from k9ops.accounts.sessions import signed_in_id
from k9ops.audit.unchanged import unless_changed
from k9ops.core.clock import utcnow
from k9ops.core.settings import current_settings
from k9ops.kennel.queries import count_by_fitness
from k9ops.kennel.words import FITNESS
from k9ops.monitoring import attention, charts, fallbacks, queries
from k9ops.notifications.kinds import show
from k9ops.notifications.queries import list_notifications, unread_count
from k9ops.projects.queries import dogs_seen_by
from k9ops.projects.scope import Viewer, current_viewer
from k9ops.schedules import dashboard, weeks, words
from k9ops.web.security import may

BACKUP_JOB = "backups.run_automated_backup"
#: How far the strip of job health looks back.
STRIP = timedelta(hours=24)


def told() -> dict[str, Any]:
    """Everything on the page, for the person of this request."""
    person, viewer, now = signed_in_id(), current_viewer(), utcnow()
    today = now.astimezone(current_settings().zone).date()
    board = queries.board() if may("jobs.view") else None
    seen: dict[str, Any] = {
        "unread": unread_count(person),
        "duty": words,
        "plans": viewer.plans or viewer.sees_all,
    }
    if seen["plans"]:
        duty = dashboard.duty_of(viewer, today, now)
        seen["today"] = duty.today
        found = attention.matters(viewer, board, duty, today, now)
        seen |= {"matters": found[: attention.MOST_SHOWN], "matters_count": len(found)}
    else:
        unread = list_notifications(person, limit=5, read=False)
        seen["items"] = [show(row) for row in unread.items]
    if board is not None:
        seen |= _of_jobs(board)
    if may("dogs.view"):
        dogs = unless_changed(("dogs", viewer), lambda: count_by_fitness(dogs_seen_by(viewer)))
        seen |= {"fitness": FITNESS, "dogs": dogs}
    return seen | _own_duty(viewer)


def _of_jobs(board: queries.Board) -> dict[str, Any]:
    since = utcnow() - STRIP
    hours = unless_changed(STRIP, lambda: queries.paths_by_hour(since))
    fell_back = unless_changed("fell_back", lambda: fallbacks.fell_back(since))
    return {
        "board": board,
        "backup": queries.last_success(BACKUP_JOB),
        "paths": queries.summed_paths(hours),
        "strip": charts.strip(hours),
        "fell_back": fallbacks.told(fell_back) if fell_back else "",
    }


def _own_duty(viewer: Viewer) -> dict[str, Any]:
    """The next duty of whoever stands in any, with those beside them."""
    if viewer.person_id is None or viewer.plans:
        return {"coming": None, "stands": False}
    coming = weeks.next_duty(viewer)
    companions = weeks.companions_of([coming]) if coming else {}
    return {"coming": coming, "companions": companions, "stands": True}
