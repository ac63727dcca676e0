"""The pages of people."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from k9ops.accounts.models import User
from k9ops.accounts.sessions import current_actor
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.people import queries, services
from k9ops.people.forms import PersonForm
from k9ops.people.models import WORK_TITLES, Person
from k9ops.people.services import PersonValues
from k9ops.people.sight import in_sight
from k9ops.web.filters import Choice, choice, page_number, search_words
from k9ops.web.forms import options, record_form_page, saving
from k9ops.web.panels import panels_of
from k9ops.web.security import requires

bp = Blueprint("people", __name__, template_folder="templates")


@bp.get("/people")
@requires("people.view")
def index() -> str:
    """The people of the unit, or of one's own projects."""
    work, active = _choices()
    wanted = queries.PersonFilter(
        search=search_words(),
        work=work.value,
        active=active.value == "yes" if active.value else None,
    )
    seen = in_sight(Person)
    return render_template(
        "people/list.html",
        page=queries.list_people(seen, wanted, number=page_number()),
        counts=queries.count_by_work(seen),
        search=wanted.search,
        choices=[work, active],
        works=WORK_TITLES,
    )


def _choices() -> tuple[Choice, Choice]:
    work = choice("work", _l("Work"), WORK_TITLES)
    active = choice("active", _l("State"), {"yes": _l("In service"), "no": _l("Not in service")})
    return work, active


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
