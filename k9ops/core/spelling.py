"""Words as people type them: letters that are written in more than one way count as the same."""

import re

_DIGITS = zip("0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", strict=True)
_ALIKE = ("اأإآٱ", "يىئی", "هة", "وؤ", "كک", *map("".join, _DIGITS))
_CLASSES = {sign: f"[{alike}]" for alike in _ALIKE for sign in alike}
#: Signs of vowels, and the stroke that lengthens a word.
_MARKS = "[\u064b-\u0652\u0670\u0640]"
#: For what is nothing but marks: no word is spelled so.
_NEVER = "$x"


def spellings(words: str) -> list[str]:
    """For each of the words a regular expression of its spellings, for Python and PostgreSQL."""
    found = dict.fromkeys(re.sub(_MARKS, "", words).split())
    if words.strip() and not found:
        return [_NEVER]
    return ["(?i)" + "".join(map(_spelled, word)) for word in found]


def _spelled(sign: str) -> str:
    alike = _CLASSES.get(sign, re.escape(sign))
    return alike if sign.isascii() else f"{alike}{_MARKS}*"


def has_words(text: str, words: str) -> bool:
    """Whether each of the words stands in the text, however it is spelled."""
    return all(re.search(one, text) for one in spellings(words))
