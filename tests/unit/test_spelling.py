"""Words are found however people spell them."""

import pytest

from k9ops.core.spelling import has_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("أحمد", "احمد"),
        ("احمد", "أحمد"),
        ("إيمان آل سعود", "ايمان ال"),
        ("هدى", "هدي"),
        ("الواحة", "الواحه"),
        ("فؤاد", "فواد"),
        ("مُحَمَّد", "محمد"),
        ("محمد", "مُحَمَّد"),
        ("محمـــد", "محمد"),
        ("سالم بن أحمد المذيلي", "المذيلي سالم"),
        ("K9-017", "k9-٠١٧"),
        ("Almithaili, Salem", "salem ALMITHAILI"),
        ("100% (sure)", "(SURE) 100%"),
        ("anything", ""),
    ],
)
def test_text_has_the_words(text, words):
    assert has_words(text, words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("أحمد", "حامد"),
        ("Salem", "salim"),
        ("K9-017", "K9.017"),
        ("Salem", "salem ahmed"),
        ("محمـــد", "ـ"),
        ("مُحَمَّد", "ُ َّ"),
        ("", "ـ"),
    ],
)
def test_text_has_not_all_of_the_words(text, words):
    assert not has_words(text, words)
