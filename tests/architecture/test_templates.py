"""Pages keep to the strict policy: no inline style or script, every page has a title."""

import re

import pytest

from config import ROOT

TEMPLATES = sorted((ROOT / "k9ops").rglob("templates/**/*.html"))
#: Mails are no pages: no policy of ours holds there, and no program takes their style sheets.
MAILS = ("style attribute",)
INLINE = {
    "style attribute": re.compile(r"<[^>{}]*\sstyle\s*=", re.IGNORECASE),
    "style element": re.compile(r"<style\b", re.IGNORECASE),
    "script without src": re.compile(r"<script(?![^>]*\bsrc=)", re.IGNORECASE),
    "event attribute": re.compile(r"<[^>{}]*\son[a-z]+\s*=", re.IGNORECASE),
    "javascript address": re.compile(r"javascript:", re.IGNORECASE),
    "outside address": re.compile(r"(?:src|href)=[\"']?(?:https?:)?//", re.IGNORECASE),
}


def name_of(path):
    return str(path.relative_to(ROOT / "k9ops"))


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_template_has_nothing_inline_or_from_outside(path):
    text = path.read_text()
    allowed = MAILS if path.parent.name == "mail" else ()
    faults = [fault for fault, pattern in INLINE.items() if pattern.search(text)]
    assert [fault for fault in faults if fault not in allowed] == []


def layouts():
    """Names of the templates that others extend."""
    found = (re.search(r'{% extends "([^"]+)" %}', path.read_text()) for path in TEMPLATES)
    return {match[1] for match in found if match}


def pages():
    """Templates that extend a layout and are none themselves."""
    extending = [path for path in TEMPLATES if "{% extends" in path.read_text()]
    return [path for path in extending if not str(path).endswith(tuple(layouts()))]


def texts_of(path):
    """Text of a page and of the layouts between it and the base of all pages."""
    text = path.read_text()
    yield text
    layout = re.search(r'{% extends "(web/[^"]+)" %}', text)
    if layout:
        yield from texts_of(ROOT / "k9ops/web/templates" / layout[1])


@pytest.mark.parametrize("path", pages(), ids=name_of)
def test_page_has_a_title(path):
    assert any("{% block title %}" in text for text in texts_of(path))


def test_stylesheets_ask_nobody_outside():
    for path in (ROOT / "k9ops/web/static").rglob("*.css"):
        assert not re.search(r"url\([\"']?(?:https?:)?//|@import", path.read_text()), path
