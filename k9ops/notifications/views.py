"""A person's notifications."""

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from k9ops.accounts.sessions import signed_in_id
from k9ops.core.paging import row_key
from k9ops.notifications import queries, services
from k9ops.notifications.kinds import show
from k9ops.web.security import SIGNED_IN, requires, safe_path

bp = Blueprint("notifications", __name__, template_folder="templates")


#: What the address may ask for; anything else is all of them.
SHOWN = {"unread": False, "read": True}


@bp.get("/notifications")
@requires(SIGNED_IN)
def list_notifications() -> str:
    """One's own, newest first: all, the unread or the read ones."""
    person, shown = signed_in_id(), request.args.get("show", "")
    before, after = (request.args.get(name, type=row_key) for name in ("before", "after"))
    page = queries.list_notifications(person, before=before, after=after, read=SHOWN.get(shown))
    return render_template(
        "notifications/list.html",
        items=[show(row) for row in page.items],
        page=page,
        shown=shown if shown in SHOWN else "",
        unread=queries.unread_count(person),
        newest_id=queries.newest_id(person),
    )


@bp.post("/notifications/<int(max=2147483647):notification_id>/open")
@requires(SIGNED_IN)
def open_notification(notification_id: int) -> ResponseReturnValue:
    """Note that it was read and go where it leads."""
    row = queries.get_notification(signed_in_id(), notification_id)
    target = safe_path(row.url, "/notifications")
    services.mark_read(signed_in_id(), notification_id)
    return redirect(target, 303)


@bp.post("/notifications/<int(max=2147483647):notification_id>/read")
@requires(SIGNED_IN)
def mark_read(notification_id: int) -> ResponseReturnValue:
    queries.get_notification(signed_in_id(), notification_id)
    services.mark_read(signed_in_id(), notification_id)
    return _back()


@bp.post("/notifications/read-all")
@requires(SIGNED_IN)
def mark_all_read() -> ResponseReturnValue:
    """Everything up to `up_to`, the newest when the page was drawn; else everything."""
    services.mark_all_read(signed_in_id(), request.form.get("up_to", type=row_key))
    return _back()


def _back() -> ResponseReturnValue:
    return redirect(safe_path(request.form.get("next"), "/notifications"), 303)
