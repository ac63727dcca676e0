"""The pages of projects, and the projects on the pages of people and dogs."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from k9ops.accounts.sessions import current_actor
from k9ops.audit.exports import export_list
from k9ops.core.checks import unit_today
from k9ops.core.i18n import gettext as _
from k9ops.core.i18n import lazy_gettext as _l
from k9ops.core.paging import Order
from k9ops.kennel.models import Dog
from k9ops.people.models import Person, Work
from k9ops.people.queries import active_people, is_seen
from k9ops.people.sight import in_sight
from k9ops.projects import queries, services, words
from k9ops.projects.forms import PlaceForm, ProjectForm
from k9ops.projects.models import STATUS_TITLES, Place, Project
from k9ops.projects.scope import current_viewer, get_visible_project
from k9ops.projects.services import PlaceValues, ProjectValues
from k9ops.web.exports import KINDS, Column
from k9ops.web.filters import choice, page_number, search_words, sorted_by
from k9ops.web.formats import isolated, named
from k9ops.web.forms import options, record_form_page, saved, saving
from k9ops.web.panels import panels_of
from k9ops.web.searching import SHOWN, Found, Hit
from k9ops.web.security import requires

bp = Blueprint("projects", __name__, template_folder="templates")

_COLUMNS = (
    Column[Project](_l("Code"), lambda one: one.code),
    Column[Project](_l("Name"), lambda one: one.name),
    Column[Project](_l("Name in English"), lambda one: one.name_en),
    Column[Project](_l("Status"), lambda one: STATUS_TITLES[one.status]),  # type: ignore[index]
    Column[Project](_l("Manager"), lambda one: named(one.manager) if one.manager else None),
    Column[Project](_l("First day"), lambda one: one.starts_on),
    Column[Project](_l("Last day"), lambda one: one.ends_on),
)


@bp.get("/projects")
@requires("projects.view")
def index() -> str:
    """All projects, or one's own."""
    status = choice("status", _l("Status"), STATUS_TITLES)
    wanted = queries.ProjectFilter(search_words(), status.value)
    viewer, order = current_viewer(), sorted_by(*queries.heads())
    page = queries.list_projects(viewer, wanted, order, number=page_number())
    return render_template(
        "projects/list.html",
        page=page,
        strength=queries.strength_on(unit_today(), [one.id for one in page.items]),
        counts=queries.count_by_status(viewer),
        search=wanted.search,
        choices=[status],
        order=order,
        words=words,
    )


@bp.get(f"/projects/export/{KINDS}")
@requires("projects.view")
def export(kind: str) -> ResponseReturnValue:
    """What the filters show, as a file."""
    status = choice("status", _l("Status"), STATUS_TITLES)
    wanted = queries.ProjectFilter(search_words(), status.value)
    rows = queries.all_projects(current_viewer(), wanted, sorted_by(*queries.heads()))
    return export_list(kind, _("Projects"), _COLUMNS, rows, actor=current_actor())


@bp.get("/projects/<int(max=2147483647):project_id>")
@requires("projects.view")
def show(project_id: int) -> str:
    """One project."""
    return _page(get_visible_project(current_viewer(), project_id), PlaceForm(formdata=None))


@bp.post("/projects/<int(max=2147483647):project_id>/places")
@requires("projects.edit")
def add_place(project_id: int) -> ResponseReturnValue:
    """Add a place; one that cannot be added stands on the project's page with its fault."""
    project = get_visible_project(current_viewer(), project_id)
    form = PlaceForm()

    def add() -> Place:
        return services.add_place(project_id, form.values(PlaceValues), actor=current_actor())

    kept = saved(form, add)
    if kept is None:
        return _page(project, form), 422
    flash(_("%(name)s was saved.", name=isolated(named(kept))), "ok")
    return _back(project_id, "places")


def _page(project: Project, place_form: PlaceForm) -> str:
    table = Dog if request.args.get("who") == "dogs" else Person
    today = unit_today()
    number = page_number()
    return render_template(
        "projects/project.html",
        one=project,
        sees_manager=is_seen(in_sight(Person), project.manager_id),
        who="dogs" if table is Dog else "people",
        strength=queries.strength_on(today, [project.id]).get(project.id, (0, 0)),
        page=queries.assignments_of(project.id, table, today, number=number),
        places=queries.all_places_of(project.id),
        place_form=place_form,
        panels=panels_of("project", project),
        words=words,
    )


@bp.route(
    "/projects/<int(max=2147483647):project_id>/places/<int(max=2147483647):place_id>/edit",
    methods=["GET", "POST"],
)
@requires("projects.edit")
def change_place(project_id: int, place_id: int) -> ResponseReturnValue:
    """Correct the names of a place."""
    place = queries.get_place(project_id, place_id)
    form = PlaceForm(obj=place)

    def change() -> Place:
        values, actor = form.values(PlaceValues), current_actor()
        return services.change_place(project_id, place_id, values, actor=actor, seen=form.seen.data)

    project = get_visible_project(current_viewer(), project_id)
    back = url_for(".show", project_id=project_id, _anchor="places")
    return record_form_page(
        "projects/place.html", form, place, change, lambda _kept: back, project=project
    )


@bp.post("/projects/<int(max=2147483647):project_id>/places/<int(max=2147483647):place_id>/close")
@requires("projects.edit")
def close_place(project_id: int, place_id: int) -> ResponseReturnValue:
    """Plan nobody there any more."""
    services.close_place(project_id, place_id, actor=current_actor())
    return _back(project_id, "places")


@bp.post("/projects/<int(max=2147483647):project_id>/places/<int(max=2147483647):place_id>/reopen")
@requires("projects.edit")
def reopen_place(project_id: int, place_id: int) -> ResponseReturnValue:
    """Plan people there again."""
    services.reopen_place(project_id, place_id, actor=current_actor())
    return _back(project_id, "places")


def _back(project_id: int, part: str) -> ResponseReturnValue:
    return redirect(url_for(".show", project_id=project_id, _anchor=part), 303)


@bp.route("/projects/new", methods=["GET", "POST"])
@requires("projects.edit")
def add() -> ResponseReturnValue:
    """Begin a project."""
    return _edit(None)


@bp.route("/projects/<int(max=2147483647):project_id>/edit", methods=["GET", "POST"])
@requires("projects.edit")
def edit(project_id: int) -> ResponseReturnValue:
    """Change what is kept of a project."""
    project = get_visible_project(current_viewer(), project_id)
    return _edit(project)


def _edit(project: Project | None) -> ResponseReturnValue:
    form = ProjectForm(obj=project)
    managers = active_people(Work.MANAGER, and_id=project.manager_id if project else None)
    form.manager_id.choices = options({one.id: named(one) for one in managers}, none=_("nobody"))
    add_one, change_one = services.add_project, services.change_project
    save = saving(form, project, ProjectValues, add_one, change_one, current_actor())
    return record_form_page(
        "projects/form.html",
        form,
        project,
        save,
        lambda kept: url_for(".show", project_id=kept.id),
    )


def find_projects(text: str) -> Found:
    """Their projects that have the words, for the search of the unit."""
    page = queries.list_projects(current_viewer(), queries.ProjectFilter(text), Order("name"))
    return Found([_hit(project) for project in page.items[:SHOWN]], page.total)


def _hit(project: Project) -> Hit:
    about = (words.span(project.starts_on, project.ends_on),)
    url, sign = url_for("projects.show", project_id=project.id), words.STATUS[project.status]  # type: ignore[index]
    return Hit(url, named(project), project.code, about, sign)


def projects_of_person(person: Person) -> dict[str, Any]:
    """What a person's page tells of their projects."""
    viewer, number = current_viewer(), page_number("projects")
    managed = queries.managed_by(viewer, person.id, number=page_number("manages"))
    page = queries.assignments_in_sight(viewer, person_id=person.id, number=number)
    return {"page": page, "managed": managed, "words": words}


def projects_of_dog(dog: Dog) -> dict[str, Any]:
    """What a dog's page tells of its projects."""
    viewer, number = current_viewer(), page_number("projects")
    page = queries.assignments_in_sight(viewer, dog_id=dog.id, number=number)
    return {"page": page, "words": words}
