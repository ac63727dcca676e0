"""A fact as people see it, wherever it stands."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Word:
    """A word with its icon and family of colours; `loud` ones get a tinted ground in lists."""

    text: Any
    icon: str
    family: str
    loud: bool = False
