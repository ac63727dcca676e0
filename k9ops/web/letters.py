"""Mails as people read them: one frame for all, as HTML and as plain text with the same words."""

from dataclasses import dataclass

from flask import render_template


@dataclass(frozen=True)
class Letter:
    """What a mail says, in the reader's language."""

    subject: str
    title: str
    #: Paragraphs before and after the button.
    before: tuple[str, ...]
    button: str
    url: str
    after: tuple[str, ...]
    #: Why the reader gets it.
    foot: str


def drawn(letter: Letter) -> tuple[str, str]:
    """Its plain text, and its HTML, in the language of the moment."""
    text, html = (render_template(f"mail/letter.{kind}", letter=letter) for kind in ("txt", "html"))
    return text, html
