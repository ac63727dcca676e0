"""Texts in templates: translated, their values escaped where the template is a page."""

import pytest
from flask import Flask, render_template_string
from markupsafe import Markup

from k9ops.core.i18n import force_locale

NAMED = '{{ _("%(name)s is present", name=name) }}'
COUNTED = """\
{% for n in (1, 2) %}{% set m = n %}{{ ngettext("%(num)s dog", "%(num)s dogs", m) }};{% endfor %}
"""


@pytest.fixture
def page(make_app):
    app: Flask = make_app()
    with app.test_request_context("/"):
        yield lambda text, **values: render_template_string(text, **values)


def test_values_are_escaped(page):
    with force_locale("en"):
        assert page(NAMED, name="<b>") == "&lt;b&gt; is present"
        assert page(NAMED, name=Markup("<b>")) == "<b> is present"


def test_nothing_is_escaped_outside_pages(page):
    with force_locale("en"):
        text = page("{% autoescape false %}" + NAMED + "{% endautoescape %}", name="<b>")
    assert text == "<b> is present"


def test_language_of_the_moment_is_spoken(page):
    with force_locale("ar"):
        arabic = page(NAMED, name="أمل")
    assert "أمل" in arabic
    assert "present" not in arabic


def test_numbers_choose_the_form(page):
    with force_locale("en"):
        assert page(COUNTED) == "1 dog;2 dogs;"


def test_values_beside_numbers_are_escaped(page):
    text = '{{ ngettext("%(num)s %(name)s", "%(num)s times %(name)s", 2, name=name) }}'
    with force_locale("en"):
        assert page(text, name="<b>") == "2 times &lt;b&gt;"


def test_percent_sign_is_written_twice(page):
    with force_locale("en"):
        assert page('{{ _("100%% of %(name)s", name=name) }}', name="it") == "100% of it"
