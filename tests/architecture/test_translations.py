"""Every text for people has its Arabic translation."""

import pytest

from scripts import messages


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_every_text_is_translated(language):
    assert list(messages.faults(messages.extract(), messages.load(language))) == []
