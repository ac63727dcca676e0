"""The guide: the same in both languages, in the words of the pages, its pictures all there."""

import re

import pytest
from babel.messages.pofile import read_po

from config import ROOT
from scripts import pictures

GUIDES = {language: ROOT / "docs" / "guide" / f"{language}.md" for language in pictures.LANGUAGES}
PICTURE = re.compile(r"pictures/([\w.-]+\.png)")


def pages():
    return [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]


def texts_of(language):
    """Every text of the pages in that language."""
    with (ROOT / "k9ops/translations/ar/LC_MESSAGES/messages.po").open("rb") as file:
        found = [m.id if language == "en" else m.string for m in read_po(file) if m.id]
    forms = (text if isinstance(text, tuple) else (text,) for text in found)
    return {one for several in forms for one in several}


def test_pictures_are_there_and_each_is_used():
    named = {name for page in pages() for name in PICTURE.findall(page.read_text())}
    assert named == {file.name for file in pictures.FOLDER.iterdir()}


def test_pictures_are_those_that_make_takes():
    assert {file.name for file in pictures.FOLDER.iterdir()} == set(pictures.names())


def test_pictures_are_small():
    assert sum(file.stat().st_size for file in pictures.FOLDER.iterdir()) < 3_000_000


@pytest.mark.parametrize("language", GUIDES)
def test_pictures_of_the_guide_are_in_its_language(language):
    named = PICTURE.findall(GUIDES[language].read_text())
    assert sorted(named) == sorted(f"{shot.name}.{language}.png" for shot in pictures.GUIDE)


def test_guides_have_the_same_sections():
    levels = [re.findall(r"^#+ ", path.read_text(), re.MULTILINE) for path in GUIDES.values()]
    assert levels[0] == levels[1]


@pytest.mark.parametrize("language", GUIDES)
def test_words_in_bold_stand_on_the_pages(language):
    bold = re.findall(r"\*\*([^*]+)\*\*", GUIDES[language].read_text().replace("\n", " "))
    first = bold.pop(0)  # says what bold means
    known = texts_of(language)
    assert first
    assert [word for word in bold if word not in known] == []
