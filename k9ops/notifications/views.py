"""A person's notifications."""

from typing import TypedDict

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from k9ops.accounts.sessions import current_actor, signed_in_id
from k9ops.audit.exports import export_list
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.core.i18n import ngettext
from k9ops.core.paging import row_key
from k9ops.notifications import queries, services
from k9ops.notifications.kinds import ShownNotification, is_known, kind_names, show
from k9ops.web.exports import KINDS, Column
from k9ops.web.filters import choice
from k9ops.web.security import SIGNED_IN, requires, safe_path

bp = Blueprint("notifications", __name__, template_folder="templates")


#: What the address may ask for; anything else is all of them.
SHOWN = {"unread": False, "read": True}
_COLUMNS = (
    Column[ShownNotification](_l("When"), lambda one: one.created_at),
    Column[ShownNotification](_l("Notification"), lambda one: one.title),
    Column[ShownNotification](_l("What happened"), lambda one: one.text),
    Column[ShownNotification](_l("Read at"), lambda one: one.read_at),
    Column[ShownNotification](_l("Page"), lambda one: one.url),
)


class _Wanted(TypedDict):
    read: bool | None
    kind: str


@bp.get("/notifications")
@requires(SIGNED_IN)
def list_notifications() -> str:
    """One's own, newest first: all, the unread or the read ones; of all kinds or of one."""
    person, shown, wanted = signed_in_id(), request.args.get("show", ""), _wanted()
    asked = wanted["kind"]
    before, after = (request.args.get(name, type=row_key) for name in ("before", "after"))
    page = queries.list_notifications(person, before=before, after=after, **wanted)
    told = queries.kinds_told(person)
    offered = {kind: name for kind, name in kind_names().items() if kind in (asked, *told)}
    chosen = choice("kind", _l("Kind"), offered)
    return render_template(
        "notifications/list.html",
        items=[show(row) for row in page.items],
        page=page,
        shown=shown if shown in SHOWN else "",
        kind=chosen,
        unread=queries.unread_count(person),
        can_mark=asked in ("", *told) and queries.has_unread(person, asked),
        newest_id=queries.newest_id(person),
    )


@bp.get(f"/notifications/export/{KINDS}")
@requires(SIGNED_IN)
def export(kind: str) -> ResponseReturnValue:
    """What the filters show, as a file."""
    rows = map(show, queries.all_notifications(signed_in_id(), **_wanted()))
    return export_list(kind, _("Notifications"), _COLUMNS, rows, actor=current_actor())


def _wanted() -> _Wanted:
    """What the address asks for."""
    kind = request.args.get("kind", "")
    read = SHOWN.get(request.args.get("show", ""))
    return {"read": read, "kind": kind if is_known(kind) else ""}


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
    """Everything of `kind`, or everything; up to `up_to`, the newest when the page was drawn.

    Of a kind that is not known it is nothing.
    """
    up_to, kind = request.form.get("up_to", type=row_key), request.form.get("kind", "")
    known = not kind or is_known(kind)
    marked = services.mark_all_read(signed_in_id(), up_to, kind) if known else 0
    flash(
        ngettext(
            "One notification was marked as read.",
            "%(num)s notifications were marked as read.",
            marked,
        ),
        "ok",
    )
    return _back()


def _back() -> ResponseReturnValue:
    return redirect(safe_path(request.form.get("next"), "/notifications"), 303)
