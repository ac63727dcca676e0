"""Text that any database takes: without NUL bytes, without broken signs, not longer than useful."""

from typing import Any


def clean(text: str, limit: int = 4000) -> str:
    """`text` fit to be stored: at most `limit` signs, what was cut said at the end."""
    cut = text[: limit + 1]
    cut = cut.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    cut = cut.encode("utf-8", "replace").decode("utf-8")
    if len(cut) <= limit:
        return cut
    return f"{cut[:limit]} … ({len(text):,} characters in all)"


def clean_json(value: Any) -> Any:
    """A JSON value whose texts any database takes; nothing is cut."""
    if isinstance(value, str):
        return clean(value, limit=len(value))
    if isinstance(value, dict):
        return {clean_json(key): clean_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean_json(item) for item in value]
    return value
