"""The pages of dogs, and the dogs on a person's page."""

from typing import Any

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from k9ops.accounts.sessions import current_actor
from k9ops.audit.exports import export_list
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.core.paging import Order
from k9ops.kennel import queries, services, words
from k9ops.kennel.forms import DogForm
from k9ops.kennel.models import SEX_TITLES, SPECIALTY_TITLES, STATUS_TITLES, Dog, DogStatus
from k9ops.kennel.services import DogValues
from k9ops.people.models import Person, Work
from k9ops.people.queries import active_people, is_seen
from k9ops.people.sight import in_sight
from k9ops.web.exports import KINDS, Column
from k9ops.web.filters import Choice, choice, page_number, search_words, sorted_by
from k9ops.web.formats import named
from k9ops.web.forms import options, record_form_page, saving
from k9ops.web.panels import panels_of
from k9ops.web.searching import SHOWN, Found, Hit
from k9ops.web.security import requires

bp = Blueprint("kennel", __name__, template_folder="templates")

_TOLD: dict[str, Any] = {
    "words": words,
    "sexes": SEX_TITLES,
    "specialties": SPECIALTY_TITLES,
    "statuses": STATUS_TITLES,
}
_COLUMNS = (
    Column[Dog](_l("Code"), lambda one: one.code),
    Column[Dog](_l("Name"), lambda one: one.name),
    Column[Dog](_l("Name in English"), lambda one: one.name_en),
    Column[Dog](_l("Breed"), lambda one: one.breed),
    Column[Dog](_l("Sex"), lambda one: SEX_TITLES[one.sex]),  # type: ignore[index]
    Column[Dog](_l("Born on"), lambda one: one.born_on),
    Column[Dog](_l("Microchip"), lambda one: one.microchip),
    Column[Dog](_l("Specialty"), lambda one: SPECIALTY_TITLES[one.specialty]),  # type: ignore[index]
    Column[Dog](_l("Handled by"), lambda one: named(one.handler) if one.handler else None),
    Column[Dog](_l("Fitness"), lambda one: words.FITNESS_TITLES[one.fitness]),  # type: ignore[index]
    Column[Dog](_l("Status"), lambda one: STATUS_TITLES[one.status]),  # type: ignore[index]
    Column[Dog](_l("Weight (kg)"), lambda one: one.weight_kg),
)


@bp.get("/dogs")
@requires("dogs.view")
def index() -> str:
    """The dogs of the unit, or of one's own projects."""
    seen, choices, order = in_sight(Dog), _choices(), sorted_by(*queries.heads())
    wanted = _wanted(choices)
    return render_template(
        "kennel/list.html",
        page=queries.list_dogs(seen, wanted, order, number=page_number()),
        counts=queries.count_by_fitness(seen),
        search=wanted.search,
        choices=choices,
        order=order,
        **_TOLD,
    )


@bp.get(f"/dogs/export/{KINDS}")
@requires("dogs.view")
def export(kind: str) -> ResponseReturnValue:
    """What the filters show, as a file."""
    rows = queries.all_dogs(in_sight(Dog), _wanted(_choices()), sorted_by(*queries.heads()))
    return export_list(kind, _("Dogs"), _COLUMNS, rows, actor=current_actor())


def _choices() -> list[Choice]:
    return [
        choice("status", _l("Status"), STATUS_TITLES),
        choice("fitness", _l("Fitness"), words.FITNESS_TITLES),
        choice("specialty", _l("Specialty"), SPECIALTY_TITLES),
    ]


def _wanted(choices: list[Choice]) -> queries.DogFilter:
    return queries.DogFilter(search_words(), **{one.name: one.value for one in choices})


@bp.get("/dogs/<int(max=2147483647):dog_id>")
@requires("dogs.view")
def show(dog_id: int) -> str:
    """One dog."""
    dog = queries.get_seen_dog(in_sight(Dog), dog_id)
    return render_template(
        "kennel/dog.html",
        one=dog,
        sees_handler=is_seen(in_sight(Person), dog.handler_id),
        panels=panels_of("dog", dog),
        beside=panels_of("dog", dog, aside=True),
        **_TOLD,
    )


@bp.route("/dogs/new", methods=["GET", "POST"])
@requires("dogs.edit")
def add() -> ResponseReturnValue:
    """Add a dog."""
    return _edit(None)


@bp.route("/dogs/<int(max=2147483647):dog_id>/edit", methods=["GET", "POST"])
@requires("dogs.edit")
def edit(dog_id: int) -> ResponseReturnValue:
    """Change what is kept of a dog."""
    dog = queries.get_seen_dog(in_sight(Dog), dog_id)
    return _edit(dog)


def _edit(dog: Dog | None) -> ResponseReturnValue:
    form = DogForm(obj=dog)
    handlers = active_people(Work.HANDLER, Work.TRAINER, and_id=dog.handler_id if dog else None)
    form.handler_id.choices = options({one.id: named(one) for one in handlers}, none=_("nobody"))
    add_one, change_one = services.add_dog, services.change_dog
    save = saving(form, dog, DogValues, add_one, change_one, current_actor())
    return record_form_page(
        "kennel/form.html",
        form,
        dog,
        save,
        lambda kept: url_for(".show", dog_id=kept.id),
    )


def find_dogs(text: str) -> Found:
    """The dogs in sight that have the words, for the search of the unit."""
    page = queries.list_dogs(in_sight(Dog), queries.DogFilter(text), Order("name"))
    return Found([_hit(dog) for dog in page.items[:SHOWN]], page.total)


def _hit(dog: Dog) -> Hit:
    on_duty = dog.status == DogStatus.ACTIVE
    status = "" if on_duty else STATUS_TITLES[dog.status]  # type: ignore[index]
    return Hit(
        url_for("kennel.show", dog_id=dog.id),
        named(dog),
        dog.code,
        (dog.breed, SPECIALTY_TITLES[dog.specialty], status),  # type: ignore[index]
        words.FITNESS[dog.fitness] if on_duty else None,  # type: ignore[index]
    )


def dogs_of_person(person: Person) -> dict[str, Any]:
    """What a person's page tells of their dogs."""
    page = queries.dogs_of_handler(in_sight(Dog), person.id, number=page_number("dogs"))
    return {"page": page, **_TOLD}
