"""Texts for people: `update` collects them from the code, `check` fails on one without Arabic.

Run as `python -m scripts.messages update|check`.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po
from babel.util import distinct

ROOT = Path(__file__).resolve().parent.parent
TRANSLATIONS = ROOT / "k9ops" / "translations"
LANGUAGES = ("ar",)
KEYWORDS = DEFAULT_KEYWORDS | {"lazy_gettext": None, "lazy_ngettext": (1, 2), "_l": None}


def extract() -> Catalog:
    """Every text marked in the code and the templates, with the places that use it."""
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    catalog = Catalog(project="K9 Ops", charset="utf-8")
    found = extract_from_dir(ROOT / "k9ops", methods, options, KEYWORDS, ("Translators:",))
    for filename, _line, text, comments, context in sorted(found, key=lambda item: item[:2]):
        place = [(f"k9ops/{filename}", 0)]
        catalog.add(text, None, place, auto_comments=comments, context=context)
    return catalog


def path_of(language: str) -> Path:
    return TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"


def load(language: str) -> Catalog:
    with path_of(language).open("rb") as file:
        return read_po(file, locale=language)


def update() -> None:
    """Add new texts to each language's file and remove those no longer used."""
    found = extract()
    for language in LANGUAGES:
        catalog = load(language)
        found.creation_date = catalog.creation_date  # the same texts leave the file as it was
        catalog.update(found, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        for message in catalog:
            message.locations = list(distinct((place, 0) for place, _ in message.locations))
        with path_of(language).open("wb") as file:
            write_po(file, catalog, width=100, sort_output=True, include_lineno=False)
        print(f"{path_of(language).relative_to(ROOT)}: {len(list(faults(found, catalog)))} to do")


def faults(found: Catalog, catalog: Catalog) -> Iterator[str]:
    """One line for each text that is missing, empty, doubtful or unlike its original."""
    for message in found:
        if not message.id:
            continue
        translated = catalog.get(message.id, message.context)
        where = message.locations[0][0] if message.locations else "?"
        if translated is None or not all(texts(translated)):
            yield f"{where}: no translation: {message.id!r}"
        elif translated.fuzzy:
            yield f"{where}: doubtful (fuzzy): {message.id!r}"
        else:
            yield from (f"{where}: {error}: {message.id!r}" for error in translated.check(catalog))
    for message in catalog:
        if message.id and found.get(message.id, message.context) is None:
            yield f"no longer used: {message.id!r}"


def texts(message: Message) -> tuple[str, ...]:
    """What stands for it in the language: one text, or one for each plural form."""
    string = message.string or ""
    return (string,) if isinstance(string, str) else tuple(map(str, string))


def check() -> None:
    found = extract()
    wrong = [f"{name}: {line}" for name in LANGUAGES for line in faults(found, load(name))]
    if wrong:
        print(*wrong, sep="\n", file=sys.stderr)
        sys.exit(f"{len(wrong)} faults; `make messages` collects new texts.")


if __name__ == "__main__":
    actions = {"update": update, "check": check}
    if len(sys.argv) != 2 or sys.argv[1] not in actions:
        sys.exit("usage: python -m scripts.messages update|check")
    actions[sys.argv[1]]()
