"""The pages of people."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from k9ops.accounts.models import User
from k9ops.accounts.sessions import current_actor
from k9ops.audit.exports import export_list
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.core.paging import Order
from k9ops.people import queries, services
from k9ops.people.forms import PersonForm
from k9ops.people.models import WORK_TITLES, Person
from k9ops.people.services import PersonValues
from k9ops.people.sight import in_sight
from k9ops.web.exports import KINDS, Column
from k9ops.web.filters import Choice, choice, page_number, search_words, sorted_by
from k9ops.web.formats import named
from k9ops.web.forms import options, record_form_page, saving
from k9ops.web.panels import panels_of
from k9ops.web.searching import SHOWN, Found, Hit
from k9ops.web.security import requires

bp = Blueprint("people", __name__, template_folder="templates")

_STATES = {"yes": _l("In service"), "no": _l("Not in service")}
_COLUMNS = (
    Column[Person](_l("Number"), lambda one: one.number),
    Column[Person](_l("Name"), lambda one: one.name),
    Column[Person](_l("Name in English"), lambda one: one.name_en),
    Column[Person](_l("Work"), lambda one: WORK_TITLES[one.work]),  # type: ignore[index]
    Column[Person](_l("Phone"), lambda one: one.phone),
    Column[Person](_l("In the unit since"), lambda one: one.hired_on),
    Column[Person](_l("State"), lambda one: _STATES["yes" if one.active else "no"]),
)


@bp.get("/people")
@requires("people.view")
def index() -> str:
    """The people of the unit, or of one's own projects."""
    seen, choices, order = in_sight(Person), _choices(), sorted_by(*queries.heads())
    wanted = _wanted(choices)
    return render_template(
        "people/list.html",
        page=queries.list_people(seen, wanted, order, number=page_number()),
        counts=queries.count_by_work(seen),
        search=wanted.search,
        choices=choices,
        order=order,
        works=WORK_TITLES,
    )


@bp.get(f"/people/export/{KINDS}")
@requires("people.view")
def export(kind: str) -> ResponseReturnValue:
    """What the filters show, as a file."""
    wanted, order = _wanted(_choices()), sorted_by(*queries.heads())
    rows = queries.all_people(in_sight(Person), wanted, order)
    return export_list(kind, _("People"), _COLUMNS, rows, actor=current_actor())


def _choices() -> list[Choice]:
    return [choice("work", _l("Work"), WORK_TITLES), choice("active", _l("State"), _STATES)]


def _wanted(choices: list[Choice]) -> queries.PersonFilter:
    work, active = (one.value for one in choices)
    return queries.PersonFilter(search_words(), work, active == "yes" if active else None)


@bp.get("/people/<int(max=2147483647):person_id>")
@requires("people.view")
def show(person_id: int) -> str:
    """One person."""
    person = queries.get_seen_person(in_sight(Person), person_id)
    return render_template(
        "people/person.html",
        one=person,
        work=WORK_TITLES[person.work],  # type: ignore[index]
        account=queries.account_of(person),
        panels=panels_of("person", person),
        beside=panels_of("person", person, aside=True),
    )


@bp.route("/people/new", methods=["GET", "POST"])
@requires("people.edit")
def add() -> ResponseReturnValue:
    """Add a person."""
    return _edit(None)


@bp.route("/people/<int(max=2147483647):person_id>/edit", methods=["GET", "POST"])
@requires("people.edit")
def edit(person_id: int) -> ResponseReturnValue:
    """Change what is kept of a person."""
    person = queries.get_seen_person(in_sight(Person), person_id)
    return _edit(person)


def _edit(person: Person | None) -> ResponseReturnValue:
    form = PersonForm(obj=person)
    free = queries.free_accounts(person.id if person else None)
    form.user_id.choices = options({user.id: _called(user) for user in free}, none=_("no account"))
    add_one, change_one = services.add_person, services.change_person
    save = saving(form, person, PersonValues, add_one, change_one, current_actor())
    return record_form_page(
        "people/form.html",
        form,
        person,
        save,
        lambda kept: url_for(".show", person_id=kept.id),
    )


def _called(user: User) -> str:
    return f"{user.username} · {user.full_name}" if user.full_name else user.username


def find_people(text: str) -> Found:
    """The people in sight who have the words, for the search of the unit."""
    page = queries.list_people(in_sight(Person), queries.PersonFilter(text), Order("name"))
    return Found([_hit(person) for person in page.items[:SHOWN]], page.total)


def _hit(person: Person) -> Hit:
    about = (
        WORK_TITLES[person.work],  # type: ignore[index]
        "" if person.active else _STATES["no"],
    )
    return Hit(url_for("people.show", person_id=person.id), named(person), person.number, about)


def person_of_user(user: User) -> dict[str, Person | None]:
    """What a user's page tells of the person of the unit who signs in with the account."""
    person_id = queries.person_id_of_account(user.id)
    return {"person": queries.get_person(person_id) if person_id else None}
