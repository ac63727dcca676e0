"""Pages of duty: weeks, days, and the forms that change a day."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from k9ops.accounts.sessions import current_actor
from k9ops.core.checks import unit_today
from k9ops.core.clock import utcnow
from k9ops.core.db import db
from k9ops.core.errors import BadInput, Conflict, K9Error
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import ngettext
from k9ops.core.paging import row_key
from k9ops.projects.queries import dogs_on, handlers_on, places_of
from k9ops.projects.scope import Viewer, current_viewer
from k9ops.schedules import lanes, locking, queries, services, strips, weeks, words
from k9ops.schedules.asked import asked, chosen_day
from k9ops.schedules.errors import DayLocked, DoubleBooked
from k9ops.schedules.forms import (
    MINUTES,
    AttendanceForm,
    CopyForm,
    DayNoteForm,
    ItemForm,
    LockForm,
    PlanForm,
    UnlockForm,
)
from k9ops.schedules.models import ATTENDANCE_TITLES, Attendance, DutyItem, DutySchedule
from k9ops.web import formats
from k9ops.web.filters import page_number
from k9ops.web.formats import isolated, named
from k9ops.web.forms import options, saved
from k9ops.web.security import requires

bp = Blueprint("schedules", __name__, template_folder="templates")

DAY = "/schedules/<int(max=2147483647):day_id>"
ITEM = "/schedules/items/<int(max=2147483647):item_id>"


@bp.get("/schedules")
@requires("schedules.view")
def index() -> str:
    """The days of duty of one's projects; for a handler their own duties."""
    viewer, chosen = current_viewer(), chosen_day()
    seen = {
        "chosen": chosen,
        "today": unit_today(),
        "week": weeks.week_of(chosen),
        "before": chosen - timedelta(days=7),
        "after": chosen + timedelta(days=7),
        "duty": words,
    }
    page = _board if viewer.plans or viewer.sees_all else _own_duty
    return page(viewer, seen)


def _board(viewer: Viewer, seen: dict[str, Any]) -> str:
    wanted = asked(viewer)
    project_id, state = wanted.project_id, wanted.state.value
    locks_at = weeks.next_lock()
    conflicts = weeks.conflicts_on(viewer, seen["week"], project_id)
    page = weeks.page_of_days(
        viewer,
        wanted.days,
        conflicts,
        wanted.order,
        project_id=project_id,
        state=state,
        number=page_number(),
    )
    week = weeks.summed_week(viewer, seen["week"], conflicts, locks_at, project_id)
    return render_template(
        "schedules/list.html",
        page=page,
        strip=strips.of_unit(week, seen["today"], locks_at),
        locks_at=locks_at,
        choices=wanted.choices,
        filtered=bool(project_id or state),
        span=wanted.span.value,
        order=wanted.order,
        **seen,
    )


def _own_duty(viewer: Viewer, seen: dict[str, Any]) -> str:
    items = weeks.own_week(viewer, seen["week"])
    coming = weeks.next_duty(viewer)
    return render_template(
        "schedules/own.html",
        items=items,
        coming=coming,
        companions=weeks.companions_of([*items, coming] if coming else items),
        person_id=viewer.person_id,
        **seen,
    )


@bp.post("/schedules")
@requires("schedules.edit")
def plan() -> ResponseReturnValue:
    """Plan a day that is not planned yet, and go to it."""
    form, viewer = PlanForm(), current_viewer()
    back = url_for(".index")
    if not form.validate():
        flash(form.date.errors[0] if form.date.errors else _("Choose a day."), "bad")
        return redirect(back, 303)
    project_id = request.form.get("project_id", 0, type=row_key)
    try:
        made = services.plan_day(viewer, project_id, form.date.data, actor=current_actor())
    except (BadInput, Conflict) as error:
        flash(f"{error.message} {error.hint}".strip(), "bad")
        return redirect(back, 303)
    return to_day(made.id)


@bp.get(DAY)
@requires("schedules.view")
def day(day_id: int) -> str:
    """One day of one project: who stands where, who came."""
    return day_page(current_viewer(), day_id)


@bp.errorhandler(DayLocked)
def show_locked(error: DayLocked) -> ResponseReturnValue:
    """Whatever would change a locked day is answered with the day itself, and why not."""
    db.session.rollback()
    asked = request.view_args or {}
    day_id = asked.get("day_id")
    if day_id is None:
        day_id = db.session.get_one(DutyItem, asked["item_id"]).duty_schedule_id
    return day_page(current_viewer(), day_id, refused=error), error.status


def day_page(
    viewer: Viewer, day_id: int, *, refused: K9Error | None = None, note: DayNoteForm | None = None
) -> str:
    """The page; with the form of its note, if somebody sent that."""
    found = queries.get_visible_day(viewer, day_id)
    plans, locks_at = viewer.plans or viewer.sees_all, weeks.next_lock()
    items = queries.items_of(viewer, day_id)
    shown = lanes.lanes_of(found, items, utcnow(), empty_ones=plans)
    today, week = unit_today(), weeks.week_beside(viewer, found, locks_at) if plans else []
    return render_template(
        "schedules/day.html",
        day=found,
        lanes=shown,
        counts=weeks.tally(items, utcnow()),
        conflicts=lanes.in_conflict(shown),
        strip=strips.of_project(week[1:-1], found, today, locks_at),
        turns=strips.turns(week, found, today),
        locks_at=locks_at if found.date in [one.date for one in week if one.locks_next] else None,
        today=today,
        is_locked=found.is_locked(utcnow()),
        plans=plans,
        refused=refused,
        note=note or DayNoteForm(obj=found, formdata=None),
        duty=words,
    )


@bp.route(f"{DAY}/items/new", methods=["GET", "POST"])
@requires("schedules.edit")
def add_item(day_id: int) -> ResponseReturnValue:
    """Plan a handler, perhaps with a dog."""
    viewer = current_viewer()
    found = services.get_open_day(viewer, day_id)
    form = ItemForm(data={"shift_id": request.args.get("shift", type=row_key)})
    _fill(form, found)
    return _item_page(
        form, found, lambda: services.add_item(viewer, day_id, form.value(), actor=current_actor())
    )


@bp.route(f"{ITEM}/edit", methods=["GET", "POST"])
@requires("schedules.edit")
def change_item(item_id: int) -> ResponseReturnValue:
    """Plan a duty otherwise."""
    viewer = current_viewer()
    item, found = services.get_open_item(viewer, item_id)
    form = ItemForm(obj=item)
    _fill(form, found, item)
    return _item_page(
        form,
        found,
        lambda: services.change_item(
            viewer, item_id, form.value(), actor=current_actor(), seen=form.seen.data
        ),
        item,
    )


def _item_page(
    form: ItemForm, found: DutySchedule, save: Callable[[], DutyItem], item: DutyItem | None = None
) -> ResponseReturnValue:
    kept = saved(form, save)
    if kept is not None:
        flash(_("%(name)s is planned.", name=isolated(named(kept.handler))), "ok")
        return to_day(found.id)
    return _form_page("schedules/item.html", form, day=found, item=item)


def _fill(form: ItemForm, found: DutySchedule, item: DutyItem | None = None) -> None:
    """The choices that the day offers; what the duty has already is always among them."""
    offers = lanes.offers_beside(queries.items_of(current_viewer(), found.id), item)
    handlers, dogs = (
        handlers_on(found.project_id, found.date),
        dogs_on(found.project_id, found.date),
    )
    places, shifts = places_of(found.project_id), queries.active_shifts()
    handler, dog, place = (item.handler, item.dog, item.place) if item else (None, None, None)
    form.shift_id.choices = options(lanes.names(shifts, item.shift if item else None))
    form.handler_id.choices = options(
        offers.handlers(handlers, handler), none=_("Choose a handler")
    )
    form.dog_id.choices = options(offers.dogs(dogs, dog), none=_("none"))
    form.place_id.choices = options(lanes.names(places, place), none=_("none"))


@bp.get(f"{ITEM}/remove/confirm")
@requires("schedules.edit")
def ask_to_remove(item_id: int) -> str:
    """The question before a duty is removed."""
    item, found = services.get_open_item(current_viewer(), item_id)
    return render_template(
        "web/confirm.html",
        title=_("Take %(name)s out of this day?", name=isolated(named(item.handler))),
        text=_("The duty leaves the plan. The audit keeps who removed it."),
        url=url_for(".remove_item", item_id=item_id),
        yes=_("Take out"),
        no=_("Keep the duty"),
        back=url_for(".day", day_id=found.id),
        kind="danger filled",
    )


@bp.post(f"{ITEM}/remove")
@requires("schedules.edit")
def remove_item(item_id: int) -> ResponseReturnValue:
    found = services.remove_item(current_viewer(), item_id, actor=current_actor())
    flash(_("The duty was taken out."), "ok")
    return to_day(found.id)


@bp.post(f"{ITEM}/present")
@requires("schedules.edit")
def mark_present(item_id: int) -> ResponseReturnValue:
    """The handler came: the one press that most duties need."""
    viewer, actor = current_viewer(), current_actor()
    try:
        item = services.mark_attendance(viewer, item_id, Attendance.PRESENT, actor=actor)
    except (BadInput, DoubleBooked) as error:
        flash(f"{error.message} {error.hint}", "bad")
        item, _found = services.get_open_item(viewer, item_id)
    return to_day(item.duty_schedule_id, f"duty-{item_id}")


@bp.route(f"{ITEM}/attendance", methods=["GET", "POST"])
@requires("schedules.edit")
def attendance(item_id: int) -> ResponseReturnValue:
    """Note who came, or who stood in."""
    viewer = current_viewer()
    item, found = services.get_open_item(viewer, item_id)
    form = AttendanceForm(obj=item)
    others = [one for one in handlers_on(found.project_id, found.date) if one != item.handler]
    offers = lanes.offers_beside(queries.items_of(viewer, found.id), item)
    stand_ins = offers.handlers(others, item.replacement)
    form.replacement_id.choices = options(stand_ins, none=_("nobody"))
    if saved(form, lambda: _mark(viewer, item_id, form)) is not None:
        return to_day(found.id, f"duty-{item_id}")
    has_begun = services.has_begun(item)
    if not has_begun:  # what the service refuses is not offered
        ahead = {key: word for key, word in ATTENDANCE_TITLES.items() if key not in services.CAME}
        form.attendance.choices = options(ahead)
    return _form_page("schedules/attendance.html", form, day=found, item=item, has_begun=has_begun)


def _mark(viewer: Viewer, item_id: int, form: AttendanceForm) -> DutyItem:
    """Note what was chosen; a double booking is told at the field that brought it about."""
    try:
        return services.mark_attendance(
            viewer,
            item_id,
            Attendance(form.attendance.data),
            actor=current_actor(),
            replacement_id=form.replacement(),
            note=form.note.data or "",
            seen=form.seen.data,
        )
    except DoubleBooked as error:
        error.field = "replacement_id" if form.replacement() else "attendance"
        raise


@bp.route(f"{DAY}/lock", methods=["GET", "POST"])
@requires("schedules.lock")
def lock(day_id: int) -> ResponseReturnValue:
    """Lock a day by hand."""
    viewer, form = current_viewer(), LockForm()
    found = services.get_open_day(viewer, day_id)
    unmarked = weeks.counts_of_day(day_id).unmarked

    def save() -> DutySchedule:
        return locking.lock_day(viewer, day_id, form.reason.data, actor=current_actor())

    if saved(form, save) is not None:
        flash(_("The day is locked."), "ok")
        return to_day(day_id)
    return _form_page("schedules/lock.html", form, day=found, unmarked=unmarked)


@bp.route(f"{DAY}/unlock", methods=["GET", "POST"])
@requires("schedules.unlock")
def unlock(day_id: int) -> ResponseReturnValue:
    """Open a locked day for a time."""
    viewer = current_viewer()
    found = queries.get_visible_day(viewer, day_id)
    tomorrow = formats.local(utcnow() + timedelta(days=1)).strftime(MINUTES)
    form = UnlockForm(data={"until": tomorrow})
    if not found.is_locked(utcnow()):
        flash(_("This day is not locked."), "bad")
        return to_day(day_id)
    opened = saved(form, lambda: _open(viewer, day_id, form))
    if opened is not None:
        flash(_("The day is open until %(when)s.", when=formats.when(opened.open_until)), "ok")
        return to_day(day_id)
    return _form_page("schedules/unlock.html", form, day=found)


def _open(viewer: Viewer, day_id: int, form: UnlockForm) -> DutySchedule:
    until = form.instant()
    assert until is not None  # validated
    return locking.open_day(viewer, day_id, form.reason.data, until, actor=current_actor())


@bp.route(f"{DAY}/copy", methods=["GET", "POST"])
@requires("schedules.edit")
def copy(day_id: int) -> ResponseReturnValue:
    """Plan another day like this one, and tell what did not fit."""
    viewer = current_viewer()
    found = queries.get_visible_day(viewer, day_id)
    form = CopyForm(data={"to": found.date + timedelta(days=1)})
    done = saved(form, lambda: _copied(viewer, day_id, form.to.data))
    if done is None:
        return _form_page("schedules/copy.html", form, day=found)
    if done.left_out:
        return render_template("schedules/copied.html", source=found, done=done)
    flash(ngettext("One duty was copied.", "%(num)s duties were copied.", done.copied), "ok")
    return to_day(done.day.id)


def _copied(viewer: Viewer, day_id: int, to: date) -> services.Copied:
    try:
        return services.copy_day(viewer, day_id, to, actor=current_actor())
    except Conflict as error:
        error.field = "to"
        raise


def _form_page(template: str, form: Any, **seen: Any) -> ResponseReturnValue:
    page = render_template(template, form=form, duty=words, **seen)
    return page, 422 if form.errors else 200


def to_day(day_id: int, part: str | None = None) -> ResponseReturnValue:
    """To the page of the day, and there to a part of it."""
    return redirect(url_for("schedules.day", day_id=day_id, _anchor=part), 303)
