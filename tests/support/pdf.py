"""What stands where in a PDF, read back with poppler's programs; Debian: poppler-utils."""

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

POINTS_PER_MM = 72 / 25.4
_PAGE = re.compile(r'<page width="([\d.]+)" height="([\d.]+)">(.*?)</page>', re.DOTALL)
_WORD = re.compile(
    r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">(.*?)</word>'
)


@dataclass(frozen=True)
class Word:
    """A word and its place on the page in millimetres from the top left."""

    text: str
    left: float
    top: float
    right: float


@dataclass(frozen=True)
class Page:
    """One page; Arabic words are found by their letters, which poppler gives as they are drawn."""

    width: float
    height: float
    words: list[Word]

    def find(self, text: str) -> Word:
        """The topmost word of these letters."""
        found = self.all(text)
        assert found, f"{text} is not on the page: {[word.text for word in self.words]}"
        return min(found, key=lambda word: word.top)

    def all(self, text: str) -> list[Word]:
        return [word for word in self.words if sorted(word.text) == sorted(text)]

    def line_of(self, word: Word) -> list[str]:
        """The words beside it, from left to right."""
        beside = [other for other in self.words if abs(other.top - word.top) < 1]
        return [other.text for other in sorted(beside, key=lambda other: other.left)]

    def text(self) -> str:
        return " ".join(word.text for word in self.words)


def read(path: Path) -> list[Page]:
    """The pages with their words."""
    done = subprocess.run(["pdftotext", "-bbox", path, "-"], capture_output=True, check=True)
    pages = _PAGE.findall(done.stdout.decode())
    return [Page(_mm(width), _mm(height), list(_words(body))) for width, height, body in pages]


def letters(words: Iterable[str]) -> str:
    """All letters in a fixed order, to compare texts whose words are drawn in pieces."""
    return "".join(sorted("".join(words)))


def fonts(path: Path) -> list[str]:
    """The names of the fonts in it, without the sign of the subset."""
    done = subprocess.run(["pdffonts", path], capture_output=True, text=True, check=True)
    return [line.split()[0].partition("+")[2] for line in done.stdout.splitlines()[2:]]


def pictures(path: Path) -> int:
    """How many pictures made of dots are in it."""
    done = subprocess.run(["pdfimages", "-list", path], capture_output=True, text=True, check=True)
    return len(done.stdout.splitlines()) - 2


def ink_in_margins(path: Path, folder: Path, margin_mm: float) -> list[str]:
    """The pages that have anything drawn nearer to a side edge than this."""
    subprocess.run(["pdftoppm", "-gray", "-r", "72", path, folder / "page"], check=True)
    marked = []
    for picture in sorted(folder.glob("page-*.pgm")):
        with Image.open(picture) as image:
            margin = int(margin_mm * POINTS_PER_MM)
            sides = (0, margin), (image.width - margin, image.width)
            strips = [image.crop((left, 0, right, image.height)) for left, right in sides]
            if any(strip.getextrema()[0] < 250 for strip in strips):
                marked.append(picture.name)
    return marked


def _words(body: str) -> Iterable[Word]:
    for left, top, right, _bottom, text in _WORD.findall(body):
        yield Word(text, _mm(left), _mm(top), _mm(right))


def _mm(points: str) -> float:
    return float(points) / POINTS_PER_MM
