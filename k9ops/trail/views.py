"""The page of the audit log."""

from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from k9ops.accounts.sessions import current_actor
from k9ops.audit.exports import export_list
from k9ops.audit.models import AuditEntry
from k9ops.audit.queries import AuditFilter
from k9ops.core.db import db
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.core.paging import in_batches, keyset_page, row_key
from k9ops.trail import words
from k9ops.trail.acts import ACTS, act_of
from k9ops.trail.queries import Wanted, actors
from k9ops.trail.telling import Told, told, told_in_batches
from k9ops.web.exports import KINDS, Column
from k9ops.web.filters import Choice, Day, choice, day_choice, search_words
from k9ops.web.security import requires

bp = Blueprint("trail", __name__, template_folder="templates")

_PER_PAGE = 25
_COLUMNS = (
    Column[Told](_l("When"), lambda one: one.entry.at),
    Column[Told](_l("Who"), lambda one: one.who),
    Column[Told](_l("From where"), lambda one: one.entry.ip),
    Column[Told](_l("Action"), lambda one: act_of(one.entry.action).title),
    Column[Told](_l("Kind"), lambda one: words.kind_title(one.entry.target_kind)),
    Column[Told](_l("Thing"), lambda one: one.what),
    Column[Told](_l("What happened"), lambda one: one.sentence),
    Column[Told](_l("What changed"), lambda one: "; ".join(map(_in_short, one.changes))),
)


@bp.get("/audit")
@requires("audit.view")
def index() -> str:
    """Who did what, newest first."""
    choices, days, thing = _choices(), _days(), _thing()
    wanted = _wanted(choices, days, thing)
    before, after = (request.args.get(name, type=row_key) for name in ("before", "after"))
    page = keyset_page(
        db.session(), wanted.query(), AuditEntry.id, limit=_PER_PAGE, before=before, after=after
    )
    return render_template(
        "trail/list.html",
        page=page,
        told=told(page.items),
        choices=[*choices, *days],
        search=wanted.search,
        thing=thing,
        about=words.kind_title(choices[2].value),
        words=words,
    )


@bp.get(f"/audit/export/{KINDS}")
@requires("audit.view")
def export(kind: str) -> ResponseReturnValue:
    """What the filters show, as a file."""
    query = _wanted(_choices(), _days(), _thing()).query()
    rows = told_in_batches(in_batches(db.session(), query, AuditEntry.id))
    return export_list(kind, _("Audit log"), _COLUMNS, rows, actor=current_actor())


def _choices() -> list[Choice]:
    titles = {action: act.title for action, act in ACTS.items()}
    return [
        choice("by", _l("Who"), actors()),
        choice("action", _l("Action"), titles),
        choice("kind", _l("Thing"), words.KINDS),
    ]


def _days() -> list[Day]:
    return [day_choice("from", _l("From")), day_choice("to", _l("To"))]


def _thing() -> str:
    """The one thing whose history is asked for; its kind stands in the filters."""
    return request.args.get("id", "").replace("\0", "")[:300]


def _wanted(choices: list[Choice], days: list[Day], thing: str) -> Wanted:
    by, action, kind = (one.value for one in choices)
    first, last = days
    found = AuditFilter(
        action=action or None,
        actor_id=int(by) if by else None,
        target_kind=kind or None,
        target_id=thing if kind and thing else None,
        since=first.begins,
        until=last.ends,
    )
    return Wanted(found, search_words())


def _in_short(change: Any) -> str:
    if change.old is None:
        return f"{change.field}: {change.new}"
    return _("%(field)s: %(old)s → %(new)s", field=change.field, old=change.old, new=change.new)
