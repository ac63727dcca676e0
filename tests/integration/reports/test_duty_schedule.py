"""The duty schedule of a day as a document, read back from the PDF in both languages."""

import pytest
from PIL import Image

from k9ops.audit.services import COMMAND_LINE
from k9ops.core.db import db
from k9ops.people.models import Person
from k9ops.projects.models import Assignment
from k9ops.projects.scope import EVERYTHING
from k9ops.reports.queries import file_of
from k9ops.reports.services import make_document
from k9ops.schedules.locking import lock_day
from k9ops.schedules.models import Attendance, DutyItem
from k9ops.schedules.services import NewItem, mark_attendance
from tests.integration.reports.conftest import DAY
from tests.support import pdf
from tests.support.databases import on_one_kind
from tests.support.unit import LONG_AGO, plan

MARGIN_MM, HEAD_MM = 14, 40
ENGLISH_NOTE = ("Relieved at the north gate by the second patrol of the morning. " * 7)[
    :400
].strip()
ARABIC_NOTE = ("عاد من البوابة بعد دقائق ومعه رفيق من فرقة ثانية وراقب موقف مركبات. " * 7)[
    :400
].strip()
NAMES = {"ar": ("بدر", "ركس", "البوابة", "متأخر"), "en": ("Badr", "Rex", "Gate", "متأخر")}


def add_handlers(unit, count):
    """So many handlers of the harbour, besides those of the small unit."""
    people = [Person(number=f"N-{n}", name=f"عون {n}", work="handler") for n in range(count)]
    db.session.add_all(people)
    db.session.flush()
    for person in people:
        db.session.add(Assignment(project_id=unit.harbour, person_id=person.id, from_on=LONG_AGO))
    db.session.commit()
    return [person.id for person in people]


def item_of(handler):
    return db.session.query(DutyItem).filter_by(handler_id=handler).one().id


@pytest.fixture
def day(unit):
    one = NewItem(unit.badr, unit.morning, unit.rex, unit.gate, note="متأخر")
    return plan(unit, DAY, one, NewItem(unit.dalia, unit.night, unit.luna))


@pytest.mark.parametrize("language", ["ar", "en"])
def test_columns_follow_the_direction_of_the_language(made, day, language):
    (page,) = pdf.read(made("duty_schedule", language, project="HRB", date="2026-11-17"))
    row = [page.find(word).left for word in NAMES[language]]
    assert row == sorted(row, reverse=language == "ar")


@on_one_kind
@pytest.mark.parametrize("language", ["ar", "en"])
def test_only_our_own_fonts_are_in_it(made, day, language):
    path = made("duty_schedule", language, project="HRB", date="2026-11-17")
    assert {name.split("-")[0] for name in pdf.fonts(path)} == {"Plex"}


def test_weekday_and_local_times_are_told_in_the_language(made, day):
    (arabic,) = pdf.read(made("duty_schedule", "ar", project="HRB", date="2026-11-17"))
    assert arabic.find("الثلاثاء")
    (english,) = pdf.read(made("duty_schedule", "en", project="HRB", date="2026-11-17"))
    line = " ".join(english.line_of(english.find("Tuesday")))
    # The night shift begins at 22:00 in Riyadh, and ends on the next day.
    assert line.startswith("Tuesday 17 November 2026 · from 06:00 to 06:00 on Wednesday")
    assert "from 22:00 to 06:00" in english.text()


def test_days_are_open_until_they_are_locked(made, day):
    (page,) = pdf.read(made("duty_schedule", "en", project="HRB", date="2026-11-17"))
    assert "may still change" in page.text()
    lock_day(EVERYTHING, day, "the week is over", actor=COMMAND_LINE)
    (page,) = pdf.read(made("duty_schedule", "en", project="HRB", date="2026-11-17"))
    assert "locked on" in page.text()


def test_attendance_is_told_in_words_and_counted(made, unit, day):
    mark = {"actor": COMMAND_LINE}
    mark_attendance(EVERYTHING, item_of(unit.badr), Attendance.PRESENT, **mark)
    stands_in = {"replacement_id": unit.essam, **mark}
    mark_attendance(EVERYTHING, item_of(unit.dalia), Attendance.REPLACED, **stands_in)
    (page,) = pdf.read(made("duty_schedule", "en", project="HRB", date="2026-11-17"))
    assert "Present" in page.line_of(page.find("Badr"))
    assert "Replaced" in page.line_of(page.find("Dalia"))
    assert " ".join(page.line_of(page.find("Essam"))).startswith("Stood in: Essam")
    assert "1 of 1 present" in page.text()


@pytest.mark.parametrize("language", ["ar", "en"])
def test_notes_of_400_signs_are_whole_and_inside_the_page(made, unit, language, tmp_path):
    notes = [ENGLISH_NOTE, ARABIC_NOTE, "x" * 400]
    handlers = [unit.badr, unit.dalia, unit.essam]
    plan(unit, DAY, *(NewItem(one, unit.morning, note=notes[n]) for n, one in enumerate(handlers)))
    path = made("duty_schedule", language, project="HRB", date="2026-11-17")
    drawn = pdf.letters(word.text for page in pdf.read(path) for word in page.words)
    wanted = "".join(notes).replace(" ", "")
    assert [sign for sign in set(wanted) if drawn.count(sign) < wanted.count(sign)] == []
    assert pdf.ink_in_margins(path, tmp_path, MARGIN_MM - 1) == []


@pytest.mark.parametrize("language", ["ar", "en"])
def test_second_page_repeats_the_heads_and_tells_its_number(made, unit, language):
    handlers = add_handlers(unit, 40)
    notes = ["", ENGLISH_NOTE, "", ARABIC_NOTE]
    items = [NewItem(one, unit.morning, note=notes[n % 4]) for n, one in enumerate(handlers)]
    plan(unit, DAY, *items)
    pages = pdf.read(made("duty_schedule", language, project="HRB", date="2026-11-17"))
    assert len(pages) >= 2
    heads = [{word for word in page.words if word.top < HEAD_MM} for page in pages]
    assert all(head == heads[0] for head in heads)
    assert len(heads[0]) >= 8
    for number, page in enumerate(pages, 1):
        foot = [word.text for word in page.words if word.top > page.height - 20]
        assert {str(number), str(len(pages))} <= set(foot)
    rows = [word.text for page in pages for word in page.words if word.text.isdecimal()]
    assert {str(n) for n in range(1, 41)} <= set(rows)


@on_one_kind
def test_table_head_stands_on_every_page_that_has_rows(made, unit):
    items = [NewItem(one, unit.morning) for one in add_handlers(unit, 40)]
    plan(unit, DAY, *items)
    pages = pdf.read(made("duty_schedule", "en", project="HRB", date="2026-11-17"))
    with_rows = [page for page in pages if page.all("عون")]
    assert len(with_rows) >= 2
    for word in ("Morning,", "Attendance"):
        assert all(page.find(word).top < 80 for page in with_rows[1:])


@pytest.mark.parametrize("language", ["ar", "en"])
def test_day_without_duty_is_a_page_that_says_so(made, unit, language):
    (page,) = pdf.read(made("duty_schedule", language, project="AIR", date="2026-11-17"))
    if language == "en":
        assert "No duty is planned on this day." in page.text()
        assert "not planned" in page.text()


@on_one_kind
def test_head_names_the_unit_in_both_languages_and_the_foot_who_asked(make_app, unit, context):
    app = make_app(unit_name="وحدة البادية", unit_name_en="Desert Unit")
    with app.app_context():
        arguments = {"project": "HRB", "date": "2026-11-17"}
        run_id = "01a1fe88-5c1c-717b-b55c-c17de9e62de8"
        made = make_document(run_id, "duty_schedule", arguments, "en", by="amal")
        (page,) = pdf.read(file_of(made))
    assert page.find("Desert").left < page.width / 2 < page.find("البادية").left
    foot = " ".join(page.line_of(page.find(run_id)))
    assert "Amal Haddad" in foot
    assert "Page 1 of 1" in foot


@on_one_kind
def test_head_shows_the_logo_of_the_unit_or_else_the_mark(make_app, unit, tmp_path, caplog):
    logo = tmp_path / "logo.png"
    Image.new("RGB", (60, 60), "navy").save(logo)
    arguments = {"project": "HRB", "date": "2026-11-17"}
    counts = []
    for number, path in enumerate((logo, tmp_path / "nothing.png", None)):
        with make_app(unit_logo=path).app_context():
            run_id = f"01a1fe88-5c1c-717b-b55c-c17de9e62de{number}"
            counts.append(
                pdf.pictures(file_of(make_document(run_id, "duty_schedule", arguments, "ar")))
            )
    assert counts == [1, 0, 0]
    assert [one.message for one in caplog.records if "UNIT_LOGO" in one.message]
